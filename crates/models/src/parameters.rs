//! A model's trainable tensors: ordered, named as in Hugging Face, each with the role that scopes select by.

use std::collections::HashMap;

use tch::Tensor;

use crate::error::{ModelError, Result};
use crate::init::Initial;
use crate::nearest::nearest;

/// What a parameter does in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A table looked up by token; where tied, the output projection as well.
    Embedding,
    /// Weight or bias of a linear layer inside an encoder layer: what the scope `encoder-linear` selects.
    EncoderLinear,
    /// Weight or bias of a linear layer inside a decoder layer.
    DecoderLinear,
    /// Gain or shift of a layer normalisation.
    Norm,
    /// Weight or bias of a hidden linear layer outside encoder and decoder.
    HiddenLinear,
    /// Weight or bias of an output layer of its own.
    Output,
}

impl Role {
    /// The role's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embedding",
            Self::EncoderLinear => "encoder-linear",
            Self::DecoderLinear => "decoder-linear",
            Self::Norm => "norm",
            Self::HiddenLinear => "hidden-linear",
            Self::Output => "output",
        }
    }
}

/// A parameter as a model's layout declares it, before there are values.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Its name in the model's safetensors file.
    pub name: String,
    /// Its shape.
    pub shape: Vec<i64>,
    /// What it does.
    pub role: Role,
    /// How it starts.
    pub initial: Initial,
}

/// One trainable tensor.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in the model's safetensors file.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// A float32 leaf that requires a gradient; layers hold handles to the same storage.
    pub tensor: Tensor,
}

/// All trainable tensors of a model in a fixed order; tied weights appear once.
#[derive(Debug, Default)]
pub struct Parameters {
    list: Vec<Parameter>,
    index: HashMap<String, usize>,
}

impl Parameters {
    /// Draws every declared parameter from `seed`.
    pub fn initialise(declarations: &[Declaration], seed: u64) -> Result<Self> {
        let mut parameters = Self::default();
        for (index, declared) in (0u32..).zip(declarations) {
            parameters.push(declared, declared.initial.tensor(&declared.shape, seed, index)?)?;
        }
        Ok(parameters)
    }

    /// Takes a value for every declaration; `values` are float32 and have the declared shapes.
    pub fn with_values(declarations: &[Declaration], values: Vec<Tensor>) -> Result<Self> {
        let mut parameters = Self::default();
        for (declared, value) in declarations.iter().zip(values) {
            parameters.push(declared, value)?;
        }
        Ok(parameters)
    }

    fn push(&mut self, declared: &Declaration, value: Tensor) -> Result<()> {
        let tensor = value.f_set_requires_grad(true)?;
        self.index.insert(declared.name.clone(), self.list.len());
        self.list.push(Parameter { name: declared.name.clone(), role: declared.role, tensor });
        Ok(())
    }

    /// The parameters in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Parameter> {
        self.list.iter()
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many numbers there are in all tensors together.
    pub fn elements(&self) -> usize {
        self.list.iter().map(|parameter| parameter.tensor.numel()).sum()
    }

    /// The parameter of that name.
    ///
    /// # Errors
    /// `ERR_ARGUMENT` with the nearest name where there is none.
    pub fn get(&self, name: &str) -> Result<&Parameter> {
        let names = || self.list.iter().map(|parameter| parameter.name.as_str());
        let missing = || ModelError::NoParameter { name: name.to_owned(), nearest: nearest(name, names()) };
        self.index.get(name).and_then(|&index| self.list.get(index)).ok_or_else(missing)
    }

    /// Another handle to the tensor of that name, sharing storage and gradient. Errors: those of [`Parameters::get`].
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        Ok(self.get(name)?.tensor.shallow_clone())
    }

    /// Handles to all tensors in order, sharing storage and gradient.
    pub fn tensors(&self) -> Vec<Tensor> {
        self.list.iter().map(|parameter| parameter.tensor.shallow_clone()).collect()
    }

    /// The names in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.list.iter().map(|parameter| parameter.name.as_str())
    }
}
