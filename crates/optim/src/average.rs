//! The parameters' moving average: whose has begun, and what a step does to one block of it.

use sagetrain_kernels::{Average, Float, Isa};

/// The averages of all parameters.
#[derive(Clone)]
pub(crate) struct Averaging<F> {
    rule: Average<F>,
    /// Whether a parameter's average holds something: otherwise the next step sets it to the parameter.
    begun: Vec<bool>,
}

/// What becomes of one parameter's average in one step.
#[derive(Clone, Copy)]
pub(crate) enum Averager<F> {
    Begin,
    Follow(Average<F>),
}

impl<F: Float> Averaging<F> {
    pub fn new(decay: f64, parameters: usize) -> Self {
        Self { rule: Average::new(decay), begun: vec![false; parameters] }
    }

    pub fn of(&self, parameter: usize) -> Averager<F> {
        if self.has_begun(parameter) { Averager::Follow(self.rule) } else { Averager::Begin }
    }

    /// Whether the average of a parameter holds something.
    pub fn has_begun(&self, parameter: usize) -> bool {
        self.begun[parameter]
    }

    /// After a step every average has begun.
    pub fn begin(&mut self) {
        self.begun.fill(true);
    }

    /// Says of each parameter whether its average was loaded.
    pub fn loaded(&mut self, begun: Vec<bool>) {
        self.begun = begun;
    }
}

impl<F: Float> Averager<F> {
    pub fn apply(self, isa: Isa, parameter: &[F], average: &mut [F]) {
        match self {
            Self::Begin => average.copy_from_slice(parameter),
            Self::Follow(rule) => rule.apply(isa, parameter, average),
        }
    }
}
