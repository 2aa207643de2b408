//! The loop that beam search and sampling share: step the model, choose continuations, let go what is done.

use super::hypothesis::{Hypothesis, Prefix};
use super::request::{Request, ragged};
use super::{SearchOptions, beam, sampling};
use crate::engine::Owned;
use crate::error::TrainerError;
use sagetrain_models::{Cache, Decoding, Tokens, Translator};
use sagetrain_torch::{Precision, Weights, best_log_probabilities, f32_values};
use std::borrow::Cow;
use std::sync::atomic::AtomicBool;
use tch::Tensor;

/// Searches with one model's weights of now.
pub struct Searcher<'a> {
    decoding: Box<dyn Decoding + 'a>,
    pub(super) options: SearchOptions,
    pub(super) tokens: Tokens,
    pub(super) vocabulary: usize,
    longest: usize,
}

/// A source under way.
pub(super) struct Sentence<'a> {
    pub(super) request: &'a Request,
    index: usize,
    pub(super) longest: usize,
    pub(super) live: Vec<Prefix>,
    pub(super) finished: Vec<Hypothesis>,
}

/// What a step says, and where a sentence's rows begin in it.
pub(super) struct Step {
    pub(super) logits: Tensor,
    pub(super) attention: Option<Weights>,
}

/// Every row's logits on the host.
pub(super) struct Rows<'a> {
    values: Cow<'a, [f32]>,
    vocabulary: usize,
}

impl Rows<'_> {
    /// One token's of one row.
    pub(super) fn at(&self, row: usize, token: i32) -> f64 {
        f64::from(self.values[row * self.vocabulary + token as usize])
    }
}

/// The rows that the live prefixes continue, in order.
pub(super) type Parents = Vec<usize>;

impl<'a> Searcher<'a> {
    /// Lays the weights out for decoding.
    ///
    /// # Errors
    /// `ERR_CONFIG` for options; `ERR_TORCH`.
    pub fn new(
        translator: &'a dyn Translator,
        options: SearchOptions,
        precision: Precision,
    ) -> Result<Self, TrainerError> {
        options.validate()?;
        Ok(Self {
            decoding: translator.decoding(precision)?,
            options,
            tokens: translator.tokens(),
            vocabulary: translator.vocabulary(),
            longest: translator.longest(),
        })
    }

    /// The hypotheses of every request, best first, at most `beam` each; all requests are one batch.
    ///
    /// # Errors
    /// [`TrainerError::NonFinite`] with the position of a source for which the model's scores hold NaN; [`TrainerError::Aborted`] soon after
    /// `cancel` is set; those of [`Searcher::check`].
    pub fn search(
        &self,
        requests: &[&Request],
        cancel: &AtomicBool,
    ) -> Result<Vec<Vec<Hypothesis>>, TrainerError> {
        let _no_grad = tch::no_grad_guard();
        let mut results = vec![Vec::new(); requests.len()];
        if requests.is_empty() {
            return Ok(results);
        }
        requests.iter().try_for_each(|request| self.check(request))?;
        let mut active: Vec<Sentence> = requests.iter().enumerate().map(|place| self.begin(place)).collect();
        let mut cache = self.start(requests)?;
        while !active.is_empty() {
            Owned::check_cancelled(cancel)?;
            let step = self.step(&mut cache, &active)?;
            let rows = match &self.options.sampling {
                None => beam::advance(self, &step, &mut active)?,
                Some(sampling) => sampling::advance(self, sampling, &step, &mut active)?,
            };
            self.collect_finished(&mut active, &mut results);
            if !active.is_empty() {
                cache.reorder(&rows)?;
            }
        }
        Ok(results)
    }

    /// Refuses what cannot be searched for.
    ///
    /// # Errors
    /// [`TrainerError::TooLong`] for the source, [`TrainerError::Prefix`] for its prefix.
    pub fn check(&self, request: &Request) -> Result<(), TrainerError> {
        let (tokens, longest) = (request.source.len(), self.longest);
        if tokens > longest {
            return Err(TrainerError::TooLong { sentence: request.position, tokens, longest });
        }
        let longest = self.options.longest(tokens, longest);
        request.check(self.vocabulary, [self.tokens.start, self.tokens.end], longest)
    }

    fn begin<'r>(&self, (index, request): (usize, &&'r Request)) -> Sentence<'r> {
        let longest = self.options.longest(request.source.len(), self.longest);
        let rows = if self.options.sampling.is_some() { self.options.beam } else { 1 };
        Sentence { request, index, longest, live: Prefix::empty(rows), finished: Vec::new() }
    }

    fn start(&self, requests: &[&Request]) -> Result<Cache, TrainerError> {
        let mut cache = self.decoding.start(&ragged(requests)?)?;
        if self.options.alignment {
            cache.watch();
        }
        if self.options.sampling.is_some() {
            let rows: Vec<usize> =
                (0..requests.len()).flat_map(|row| std::iter::repeat_n(row, self.options.beam)).collect();
            cache.reorder(&rows)?;
        }
        Ok(cache)
    }

    fn step(&self, cache: &mut Cache, active: &[Sentence]) -> Result<Step, TrainerError> {
        let last = active.iter().flat_map(|sentence| &sentence.live);
        let last: Vec<i64> = last
            .map(|prefix| prefix.tokens.last().map_or(self.tokens.start, |&token| i64::from(token)))
            .collect();
        let scores = self.decoding.step(cache, &last)?;
        Ok(Step { logits: scores.logits, attention: scores.attention })
    }

    /// Tokens that must not come next after `decoded` tokens.
    pub(super) fn excluded(&self, decoded: usize) -> Vec<i64> {
        let early = decoded < self.options.min_length;
        std::iter::once(self.tokens.start).chain(early.then_some(self.tokens.end)).collect()
    }

    fn collect_finished(&self, active: &mut Vec<Sentence>, results: &mut [Vec<Hypothesis>]) {
        active.retain_mut(|sentence| {
            if !sentence.live.is_empty() {
                return true;
            }
            let mut finished = std::mem::take(&mut sentence.finished);
            finished.sort_by(|a, b| b.score.total_cmp(&a.score));
            finished.truncate(self.options.beam);
            results[sentence.index] = finished;
            false
        });
    }
}

impl Sentence<'_> {
    /// The token that has to come next: one of the prefix, or `</s>` where there is no room for more.
    pub(super) fn forced(&self, decoded: usize, end: i64) -> Option<i32> {
        let ends = (decoded + 1 >= self.longest).then_some(end as i32);
        self.request.prefix.get(decoded).copied().or(ends)
    }

    /// The error of a row whose scores are not finite.
    pub(super) fn non_finite(&self) -> TrainerError {
        TrainerError::NonFinite { sentence: self.request.position }
    }
}

impl Step {
    /// Logarithms of the rows' sums of exponentials.
    pub(super) fn log_masses(&self) -> Result<Vec<f64>, TrainerError> {
        Ok(best_log_probabilities(&self.logits, 1, &[])?.log_masses)
    }

    /// Every row's logits.
    pub(super) fn rows(&self) -> Result<Rows<'_>, TrainerError> {
        let vocabulary = self.logits.size().get(1).map_or(1, |&columns| columns.max(1) as usize);
        Ok(Rows { values: f32_values(&self.logits)?, vocabulary })
    }

    /// The source token that a row looked at most, where the model watches.
    pub(super) fn aligned(&self, row: usize) -> Option<u32> {
        let weights = self.attention.as_ref()?.row(row);
        let best = weights.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))?;
        Some(best.0 as u32)
    }
}
