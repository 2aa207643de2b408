//! What an encoder of sequences can tell besides the output of its head.

use tch::Tensor;

use crate::error::Result;
use crate::inputs::Inputs;
use crate::model::{Forward, Loss};
use crate::smoothness::Smoothness;

/// A model that turns every token into a vector.
pub trait SequenceEncoder {
    /// The last layer's hidden states `[tokens, width]`, packed as the tokens are.
    fn hidden(&self, inputs: &Inputs, forward: &Forward) -> Result<Tensor>;

    /// What the head's last layer sees, float32 `[sequences, width]`: the first token's hidden state, through the pooler.
    /// Errors: `ERR_CONFIG` where the model has no head.
    fn pooled(&self, inputs: &Inputs, forward: &Forward) -> Result<Tensor>;

    /// [`Model::loss`](crate::Model::loss) with the smoothness term of the batch beside it.
    fn smooth_loss(
        &self,
        inputs: &Inputs,
        smoothing: f64,
        smoothness: &Smoothness,
        forward: &Forward,
    ) -> Result<Loss>;
}
