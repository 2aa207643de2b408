//! Several translators of the same vocabularies as one: a token's probability is the mean of theirs.

use std::path::Path;

use sagetrain_torch::{Precision, Weights};
use tch::{Kind, Tensor};

use crate::error::{ModelError, Result};
use crate::history::Cache;
use crate::inputs::Inputs;
use crate::model::{Forward, Loss, Model};
use crate::parameters::Parameters;
use crate::ragged::Ragged;
use crate::spec::ModelSpec;
use crate::transformer::TARGET;
use crate::translator::{Decoding, Scores, Tokens, Translator};

/// Translators that speak together; they score and translate, and are neither trained nor saved so.
pub struct Ensemble {
    members: Vec<Box<dyn Model>>,
    /// Nothing of it is trained.
    parameters: Parameters,
    tokens: Tokens,
    longest: usize,
    source_vocabulary: usize,
    vocabulary: usize,
}

impl Ensemble {
    /// Puts models together.
    ///
    /// # Errors
    /// `ERR_ARGUMENT` for no models, one that does not translate, or vocabularies of different sizes.
    pub fn new(members: Vec<Box<dyn Model>>) -> Result<Self> {
        let translators = translators(&members)?;
        let sizes: Vec<[usize; 2]> = translators
            .iter()
            .map(|translator| [translator.source_vocabulary(), translator.vocabulary()])
            .collect();
        let alike = translators.windows(2).all(|pair| pair[0].tokens() == pair[1].tokens());
        let first = translators.first().filter(|_| alike && sizes.windows(2).all(|pair| pair[0] == pair[1]));
        let (tokens, [source_vocabulary, vocabulary]) =
            first.map(|first| (first.tokens(), sizes[0])).ok_or_else(|| {
                let problem = format!(
                    "an ensemble's models need the same vocabularies, theirs have {sizes:?} tokens of source and target"
                );
                ModelError::decoding(problem)
            })?;
        let longest = translators.iter().map(|translator| translator.longest()).min().unwrap_or(0);
        Ok(Self {
            members,
            parameters: Parameters::default(),
            tokens,
            longest,
            source_vocabulary,
            vocabulary,
        })
    }

    fn refuse<T>(what: &str) -> Result<T> {
        Err(ModelError::decoding(format!("an ensemble is not {what}; take one of its models")))
    }
}

fn translators(members: &[Box<dyn Model>]) -> Result<Vec<&dyn Translator>> {
    let mut translators = Vec::with_capacity(members.len());
    for (index, member) in members.iter().enumerate() {
        let problem = || ModelError::decoding(format!("model {index} of the ensemble does not translate"));
        translators.push(member.as_translator().ok_or_else(problem)?);
    }
    Ok(translators)
}

/// The logarithm of the mean of softmaxes: logits `[rows, vocabulary]` → the same.
fn mixture(logits: &[Tensor]) -> Result<Tensor> {
    let scores: Vec<Tensor> =
        logits.iter().map(|logits| logits.f_log_softmax(-1, Kind::Float)).collect::<Result<_, _>>()?;
    let all = Tensor::f_stack(&scores, 0)?; // [members, rows, vocabulary]
    let mixed = all.f_logsumexp([0_i64].as_slice(), false)?;
    Ok(mixed.f_sub_scalar((logits.len() as f64).ln())?)
}

impl Model for Ensemble {
    /// The first member's.
    fn spec(&self) -> &ModelSpec {
        self.members[0].spec()
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn buffers(&self) -> Vec<Tensor> {
        self.members.iter().flat_map(|member| member.tensors()).collect()
    }

    fn loss(&self, inputs: &Inputs, smoothing: f64, forward: &Forward) -> Result<Loss> {
        let scores = self.forward(inputs, forward)?; // log-probabilities
        let target = inputs.get_ragged(TARGET)?;
        let chosen = scores.f_gather(1, &target.values.f_unsqueeze(1)?, false)?;
        let nll = chosen.f_sum(Kind::Float)?.f_neg()?;
        let spread = smoothing / (scores.size()[1] - 1).max(1) as f64;
        let all = scores.f_sum(Kind::Float)?.f_neg()?.f_mul_scalar(spread)?;
        let sum = nll.f_mul_scalar(1.0 - smoothing - spread)?.f_add(&all)?;
        Ok(Loss { sum, nll, count: target.tokens(), correct: None, smoothness: None })
    }

    fn forward(&self, inputs: &Inputs, forward: &Forward) -> Result<Tensor> {
        let logits: Vec<Tensor> =
            self.members.iter().map(|member| member.forward(inputs, forward)).collect::<Result<_>>()?;
        mixture(&logits)
    }

    fn save(&self, _: &Path) -> Result<()> {
        Self::refuse("saved")
    }

    fn as_translator(&self) -> Option<&dyn Translator> {
        Some(self)
    }
}

impl Translator for Ensemble {
    fn tokens(&self) -> Tokens {
        self.tokens
    }

    fn longest(&self) -> usize {
        self.longest
    }

    fn source_vocabulary(&self) -> usize {
        self.source_vocabulary
    }

    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn decoding(&self, precision: Precision) -> Result<Box<dyn Decoding + '_>> {
        let members = translators(&self.members)?.into_iter().map(|member| member.decoding(precision));
        Ok(Box::new(Together { members: members.collect::<Result<_>>()? }))
    }
}

/// The members' decodings, step by step together.
struct Together<'a> {
    members: Vec<Box<dyn Decoding + 'a>>,
}

impl Decoding for Together<'_> {
    fn start(&self, source: &Ragged) -> Result<Cache> {
        let members = self.members.iter().map(|member| member.start(source)).collect::<Result<_>>()?;
        Ok(Cache::together(members))
    }

    fn step(&self, cache: &mut Cache, last: &[i64]) -> Result<Scores> {
        let _no_grad = tch::no_grad_guard();
        let steps = self.members.iter().zip(&mut cache.members).map(|(member, own)| member.step(own, last));
        let steps: Vec<Scores> = steps.collect::<Result<_>>()?;
        let logits: Vec<Tensor> = steps.iter().map(|step| step.logits.shallow_clone()).collect();
        let attention = steps.into_iter().map(|step| step.attention).collect::<Option<Vec<_>>>();
        Ok(Scores { logits: mixture(&logits)?, attention: attention.and_then(mean) })
    }
}

/// Where the members looked, on average; all have the same rows and sources.
fn mean(members: Vec<Weights>) -> Option<Weights> {
    let count = members.len() as f32;
    let sum = |mut sum: Weights, other: Weights| {
        sum.values.iter_mut().zip(other.values).for_each(|(sum, value)| *sum += value);
        sum
    };
    let mut mean = members.into_iter().reduce(sum)?;
    mean.values.iter_mut().for_each(|value| *value /= count);
    Some(mean)
}
