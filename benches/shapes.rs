//! The models timed, by the shapes of their tensors.

/// A model: its name, and the elements of each of its tensors.
pub type Shape = (&'static str, Vec<usize>);

/// All of them, the largest tensor first.
pub fn shapes() -> Vec<Shape> {
    vec![
        ("64 M", vec![64 << 20]),
        ("BERT-base", bert()),
        ("Transformer-base", transformer_base()),
        ("ViT-B/32", vit_b32()),
        ("Spiral MLP", spiral()),
    ]
}

/// The 199 tensors of BERT-base, 109.5 M parameters.
pub fn bert() -> Vec<usize> {
    let d = 768;
    let mut sizes = vec![30_522 * d, 512 * d, 2 * d, d, d];
    for _ in 0..12 {
        sizes.extend(attention(d));
        sizes.extend(feed_forward(d));
    }
    sizes.extend([d * d, d]);
    sizes
}

/// Transformer-base (Vaswani et al., 2017): 6 + 6 layers, d 512, 2048 wide, 37,000 tied embeddings, 63.1 M parameters.
fn transformer_base() -> Vec<usize> {
    let d = 512;
    let mut sizes = vec![37_000 * d];
    for _ in 0..6 {
        sizes.extend(attention(d).iter().chain(&feed_forward(d)));
        sizes.extend(attention(d).iter().chain(&attention(d)).chain(&feed_forward(d)));
    }
    sizes
}

/// The 200 tensors of ViT-B/32 at 224 × 224, of Hugging Face's ViTForImageClassification with 1,000 classes: 88.2 M parameters.
fn vit_b32() -> Vec<usize> {
    let d = 768;
    let mut sizes = vec![d, 50 * d, 32 * 32 * 3 * d, d];
    for _ in 0..12 {
        sizes.extend(attention(d));
        sizes.extend(feed_forward(d));
    }
    sizes.extend([d, d, 1_000 * d, 1_000]);
    sizes
}

/// The 8 tensors of the Spiral MLP: 2 → 100 → 100 → 100 → 2, 20.7 K parameters.
fn spiral() -> Vec<usize> {
    vec![200, 100, 10_000, 100, 10_000, 100, 200, 2]
}

/// Query, key, value, output, and a norm.
fn attention(d: usize) -> [usize; 10] {
    [d * d, d, d * d, d, d * d, d, d * d, d, d, d]
}

/// Two matrices, one four times as wide, and a norm.
fn feed_forward(d: usize) -> [usize; 6] {
    [d * 4 * d, 4 * d, 4 * d * d, d, d, d]
}
