//! A small classifier with a gradient by hand: two spirals, a perceptron of the Spiral task's shape, cross entropy.

use sagetrain_optim::ParameterInfo;

/// Layers of the network, inputs first.
const WIDTHS: [usize; 5] = [2, 100, 100, 100, 2];
const BATCH: usize = 64;

/// SplitMix64's output function (Steele, Lea, Flood 2014).
pub fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// From 0 to below 1.
fn uniform(counter: u64) -> f32 {
    (mix(counter) >> 40) as f32 / (1u64 << 24) as f32
}

/// Weight and bias of each layer in turn: weights [out, in].
pub fn infos() -> Vec<ParameterInfo> {
    let layer = |(index, pair): (usize, &[usize])| {
        let name = |part| format!("layers.{index}.{part}");
        [ParameterInfo::new(name("weight"), [pair[1], pair[0]]), ParameterInfo::new(name("bias"), [pair[1]])]
    };
    WIDTHS.windows(2).enumerate().flat_map(layer).collect()
}

/// Weights uniform within ±√(6 / inputs), biases 0.
pub fn initial(seed: u64) -> Vec<Vec<f32>> {
    let array = |(index, info): (usize, &ParameterInfo)| {
        let limit = info.shape.get(1).map_or(0.0, |inputs| (6.0 / *inputs as f32).sqrt());
        let draw = |k| (2.0 * uniform(seed << 40 ^ (index as u64) << 32 ^ k) - 1.0) * limit;
        (0..info.elements() as u64).map(draw).collect()
    };
    infos().iter().enumerate().map(array).collect()
}

/// A point of one of two arms, one and a half turns long, with some noise; its arm is its class.
fn point(counter: u64) -> ([f32; 2], usize) {
    let (class, t) = ((mix(counter) & 1) as usize, uniform(counter ^ 1 << 60));
    let angle = t * 3.0 * std::f32::consts::PI + class as f32 * std::f32::consts::PI;
    let noise = |k: u64| (uniform(counter ^ k << 61) - 0.5) * 0.1;
    ([t * angle.cos() + noise(1), t * angle.sin() + noise(2)], class)
}

/// Mean cross entropy in nats of batch number `batch`, and the gradient where one is asked for.
pub fn loss(parameters: &[Vec<f32>], batch: u64, mut gradient: Option<&mut [Vec<f32>]>) -> f64 {
    if let Some(gradient) = gradient.as_deref_mut() {
        gradient.iter_mut().for_each(|array| array.fill(0.0));
    }
    let points = (0..BATCH as u64).map(|index| point(batch * BATCH as u64 + index));
    let losses = points.map(|(x, class)| {
        let activations = forward(parameters, &x);
        let mut delta = softmax(&activations[WIDTHS.len() - 1]);
        let loss = -f64::from(delta[class]).max(1e-30).ln();
        if let Some(gradient) = gradient.as_deref_mut() {
            delta[class] -= 1.0;
            backward(parameters, &activations, delta, gradient);
        }
        loss
    });
    losses.sum::<f64>() / BATCH as f64
}

/// What comes out of each layer, the input first.
fn forward(parameters: &[Vec<f32>], x: &[f32]) -> Vec<Vec<f32>> {
    let mut activations = vec![x.to_vec()];
    for (layer, pair) in parameters.chunks(2).enumerate() {
        let input = &activations[layer];
        let last = layer + 2 == WIDTHS.len();
        let unit = |(row, bias): (&[f32], &f32)| {
            let sum = bias + row.iter().zip(input).map(|(w, x)| w * x).sum::<f32>();
            if last { sum } else { sum.max(0.0) }
        };
        activations.push(pair[0].chunks(WIDTHS[layer]).zip(&pair[1]).map(unit).collect());
    }
    activations
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponents: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f32 = exponents.iter().sum();
    exponents.into_iter().map(|value| value / sum).collect()
}

/// Adds one point's gradient, divided by the batch; `delta` is the loss's gradient in the logits.
fn backward(
    parameters: &[Vec<f32>],
    activations: &[Vec<f32>],
    mut delta: Vec<f32>,
    gradient: &mut [Vec<f32>],
) {
    for layer in (0..WIDTHS.len() - 1).rev() {
        let (inputs, input) = (WIDTHS[layer], &activations[layer]);
        let mut before = vec![0.0; inputs];
        for (unit, delta) in delta.iter().enumerate() {
            let row = unit * inputs..(unit + 1) * inputs;
            gradient[2 * layer + 1][unit] += delta / BATCH as f32;
            for (((slope, weight), x), before) in gradient[2 * layer][row.clone()]
                .iter_mut()
                .zip(&parameters[2 * layer][row])
                .zip(input)
                .zip(&mut before)
            {
                *slope += delta * x / BATCH as f32;
                *before += delta * weight;
            }
        }
        delta = before.into_iter().zip(input).map(|(slope, x)| if *x > 0.0 { slope } else { 0.0 }).collect();
    }
}
