//! One forward pass through a stack of layers: precision, dropout rates, and a stream of random numbers for every dropout site.

use sagetrain_torch::{Dropout, Philox, Precision};

use crate::model::Forward;

/// Which of the two stacks a layer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    /// Over the source.
    Encoder,
    /// Over the target.
    Decoder,
}

/// Where in a layer dropout happens; the number is part of the random stream, so it never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// The sum of token and position embedding (of layer 0).
    Embedding = 0,
    /// Weights of the self-attention.
    SelfAttention = 1,
    /// Output of the self-attention.
    SelfOutput = 2,
    /// Weights of the attention to the source.
    CrossAttention = 3,
    /// Output of the attention to the source.
    CrossOutput = 4,
    /// Inside the feed-forward block.
    Activation = 5,
    /// Output of the feed-forward block.
    FeedForward = 6,
    /// The layer as a whole.
    Layer = 7,
    /// The first token's hidden state on its way into the head (of layer 0).
    Pooler = 8,
    /// What the classifier sees (of layer 0).
    Classifier = 9,
}

/// What the layers of a stack have in common.
#[derive(Debug, Clone, Copy)]
pub struct StackRates {
    /// Attention heads.
    pub heads: usize,
    /// Dropout of embeddings and of every block's output.
    pub dropout: f64,
    /// Dropout of attention weights.
    pub attention_dropout: f64,
    /// Dropout inside the feed-forward blocks.
    pub activation_dropout: f64,
    /// The probability that a training pass skips a layer.
    pub layer_drop: f64,
}

/// A forward pass through one layer.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    forward: &'a Forward,
    rates: StackRates,
    stack: Stack,
    layer: u32,
}

impl<'a> Pass<'a> {
    /// The pass through layer 0 of a stack.
    pub fn new(forward: &'a Forward, rates: StackRates, stack: Stack) -> Self {
        Self { forward, rates, stack, layer: 0 }
    }

    /// The same pass through another layer.
    pub fn layer(self, layer: usize) -> Self {
        Self { layer: layer as u32, ..self }
    }

    /// Format of the products.
    pub fn precision(&self) -> Precision {
        self.forward.precision
    }

    /// Heads of the stack's attentions.
    pub fn heads(&self) -> i64 {
        self.rates.heads as i64
    }

    /// Whether LayerDrop skips this layer (Fan et al., arXiv 1909.11556): one draw a layer and forward pass, nothing rescaled,
    /// as fairseq's `LayerDropModuleList` does.
    pub fn skips_layer(&self) -> bool {
        let rate = self.rates.layer_drop;
        if !self.forward.training || rate == 0.0 {
            return false;
        }
        let stream = stream(self.stack, self.layer, Site::Layer);
        let mut draw = [0.0];
        Philox { seed: self.forward.seed, step: self.forward.step, stream }.fill_uniform(&mut draw);
        f64::from(draw[0]) < rate
    }

    /// Dropout at `site` of this layer, if any.
    pub fn dropout(&self, site: Site) -> Option<Dropout> {
        let rate = match site {
            Site::SelfAttention | Site::CrossAttention => self.rates.attention_dropout,
            Site::Activation => self.rates.activation_dropout,
            _ => self.rates.dropout,
        };
        self.dropout_of(rate, site)
    }

    /// Dropout at `site` of this layer with a rate that is not the stack's.
    pub fn dropout_of(&self, rate: f64, site: Site) -> Option<Dropout> {
        self.forward.dropout(rate, stream(self.stack, self.layer, site))
    }
}

/// One stream a site: bit 16 the stack, bits 4-15 the layer, bits 0-3 the site.
fn stream(stack: Stack, layer: u32, site: Site) -> u32 {
    ((stack as u32) << 16) | (layer << 4) | site as u32
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_site_has_a_stream_of_its_own() {
        use Site::*;
        let sites = [
            Embedding,
            SelfAttention,
            SelfOutput,
            CrossAttention,
            CrossOutput,
            Activation,
            FeedForward,
            Layer,
            Pooler,
            Classifier,
        ];
        let streams: HashSet<u32> = [Stack::Encoder, Stack::Decoder]
            .into_iter()
            .flat_map(|stack| (0..1024).flat_map(move |layer| sites.map(|site| stream(stack, layer, site))))
            .collect();
        assert_eq!(streams.len(), 2 * 1024 * sites.len());
    }

    /// Shares within four standard deviations, for every layer, and no two layers skipped together more often than by chance.
    #[test]
    fn each_layer_is_skipped_as_often_as_asked() {
        let mut spec = crate::presets::preset("transformer-base").unwrap();
        (spec.encoder_layer_drop, spec.decoder_layer_drop) = (0.3, 0.1);
        let passes = 20_000;
        let skipped = |stack, layer, training| {
            let skips = |step| {
                let forward =
                    Forward { training, precision: Precision::Float32, seed: 7, step, loss_scale: 1.0 };
                Pass::new(&forward, spec.rates(stack), stack).layer(layer).skips_layer()
            };
            (0..passes).map(skips).collect::<Vec<bool>>()
        };
        let share =
            |hits: &mut dyn Iterator<Item = bool>| hits.filter(|&hit| hit).count() as f64 / passes as f64;
        for (stack, expected) in [(Stack::Encoder, 0.3), (Stack::Decoder, 0.1)] {
            let first = skipped(stack, 0, true);
            for layer in 0..6 {
                let all = skipped(stack, layer, true);
                let alone = share(&mut all.iter().copied());
                assert!((alone - expected).abs() < 0.013, "{stack:?} {layer}: {alone}");
                let both = share(&mut all.iter().zip(&first).map(|(a, b)| *a && *b));
                assert!(
                    layer == 0 || (both - expected * expected).abs() < 0.009,
                    "{stack:?} {layer}: {both}"
                );
            }
            assert!(skipped(stack, 0, false).iter().all(|skips| !skips));
        }
    }
}
