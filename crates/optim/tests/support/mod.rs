//! What the tests share: golden files, and an optimizer with the arrays it works on.
#![allow(dead_code, reason = "each test file uses a part")]

use sagetrain_optim::{
    Executor, Float, OptimError, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo, Serial,
    StepInputs, StepReport,
};
use serde_json::{Value, json};

/// The content of `tests/golden/<name>.json`.
pub fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

pub fn floats<F: Float>(value: &Value) -> Vec<F> {
    value.as_array().unwrap().iter().map(|number| F::from_f64(number.as_f64().unwrap())).collect()
}

pub fn rows<F: Float>(value: &Value) -> Vec<Vec<F>> {
    value.as_array().unwrap().iter().map(floats).collect()
}

/// A spec from JSON with its kind beside.
pub fn spec(kind: &str, options: &Value) -> OptimizerSpec {
    let mut value = options.clone();
    value["type"] = json!(kind);
    OptimizerSpec::from_json(&value, "optimizer").unwrap()
}

pub fn options(value: Value) -> OptimizerOptions {
    OptimizerOptions::from_json(&value, "").unwrap()
}

/// An optimizer and the parameters it updates.
pub struct Bench<F: Float> {
    pub optimizer: Optimizer<F>,
    pub data: Vec<Vec<F>>,
}

impl<F: Float> Bench<F> {
    pub fn new(spec: &OptimizerSpec, options: &OptimizerOptions, parameters: &[(&str, Vec<F>)]) -> Self {
        let infos: Vec<_> =
            parameters.iter().map(|(name, data)| ParameterInfo::new(*name, [data.len()])).collect();
        let optimizer = Optimizer::new(spec, &infos, options, &Owned).unwrap();
        Self { optimizer, data: parameters.iter().map(|(_, data)| data.clone()).collect() }
    }

    pub fn plain(spec: &OptimizerSpec, parameters: &[(&str, Vec<F>)]) -> Self {
        Self::new(spec, &OptimizerOptions::default(), parameters)
    }

    pub fn step(&mut self, gradients: &[Vec<F>]) -> StepReport {
        self.try_step(gradients, StepInputs::default(), &Serial).unwrap()
    }

    pub fn try_step(
        &mut self,
        gradients: &[Vec<F>],
        inputs: StepInputs,
        executor: &dyn Executor,
    ) -> Result<StepReport, OptimError> {
        let gradients: Vec<Option<&[F]>> =
            gradients.iter().map(|gradient| Some(gradient.as_slice())).collect();
        let mut data: Vec<&mut [F]> = self.data.iter_mut().map(Vec::as_mut_slice).collect();
        self.optimizer.step(&mut data, &gradients, inputs, executor)
    }

    pub fn state(&self, name: &str) -> Vec<F> {
        let found = self.optimizer.state().into_iter().find(|(key, ..)| key == name);
        let (.., values) = found.unwrap_or_else(|| panic!("no state {name}"));
        values.as_slice().unwrap_or_else(|| panic!("{name} is {}", values.dtype())).to_vec()
    }

    /// Parameters and states as they are in memory.
    pub fn bits(&self) -> Vec<u64> {
        let states = self.optimizer.state().into_iter().flat_map(|(_, _, values)| values.to_f64());
        let data = self.data.iter().flatten().map(|value| value.to_f64());
        data.chain(states).map(f64::to_bits).collect()
    }
}

/// Numbers over many binades with zeros, a function of seed and index (SplitMix64).
pub fn numbers<F: Float>(seed: u64, count: usize) -> Vec<F> {
    let mix = |counter: u64| {
        let mut z = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let number = |index: u64| {
        let bits = mix(seed << 32 | index);
        let magnitude =
            (1.0 + (bits >> 12) as f64 / (1u64 << 52) as f64) * 2f64.powi((bits & 15) as i32 - 12);
        match bits >> 4 & 63 {
            0 => 0.0,
            n if n % 2 == 0 => -magnitude,
            _ => magnitude,
        }
    };
    (0..count as u64).map(|index| F::from_f64(number(index))).collect()
}
