//! Translation: loss, perplexity, and BLEU and chrF of beam-search output.

use crate::error::TrainerError;
use crate::evaluate::{BatchSize, Losses, Setting, losses};
use crate::search::{Hypothesis, Request, SearchOptions, Searcher};
use sagetrain_data::translation::SideSteps;
use sagetrain_data::{Column, Dataset, Tokenizer};
use sagetrain_metrics::{bleu, chrf};
use sagetrain_models::{Model, Translator};
use sagetrain_torch::Precision;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Source tokens of one search batch times its beam.
const SEARCH_TOKENS: usize = 8192;
/// Bytes of one step's float32 logits: what bounds batches of short sources.
const LOGIT_BYTES: usize = 256 << 20;

/// What [`crate::ModelHandle::evaluate_translation`] scores.
#[derive(Clone)]
pub struct Evaluation {
    /// Columns `source` and `target`.
    pub dataset: Arc<Dataset>,
    /// Turns output ids into text.
    pub tokenizer: Arc<Tokenizer>,
    /// Puts the words of that text together again.
    pub text: Arc<SideSteps>,
    /// One reference a sample, as people read it.
    pub references: Arc<Vec<String>>,
    /// How to search.
    pub search: SearchOptions,
    /// Token budget of the loss's batches.
    pub max_tokens: usize,
}

/// Scores of one evaluation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scores {
    /// Means over the target tokens.
    #[serde(flatten)]
    pub losses: Losses,
    /// Exponential of the mean negative log-likelihood.
    pub perplexity: f64,
    /// Corpus BLEU, 0 to 100.
    pub bleu: f64,
    /// sacreBLEU's signature of `bleu`.
    pub bleu_signature: String,
    /// Corpus chrF2, 0 to 100.
    pub chrf: f64,
    /// sacreBLEU's signature of `chrf`.
    pub chrf_signature: String,
    /// The outputs in the data set's order, as people read them.
    pub hypotheses: Vec<String>,
    /// The same as the model speaks: words and punctuation apart where the text was tokenized.
    pub tokens: Vec<String>,
    /// Wall time of the search.
    pub search_seconds: f64,
}

pub(crate) fn evaluate(setting: &Setting, evaluation: &Evaluation) -> Result<Scores, TrainerError> {
    check_references(evaluation)?;
    let losses = losses(setting, &evaluation.dataset, BatchSize::Tokens(evaluation.max_tokens))?;
    let started = Instant::now();
    let requests = Request::all(sources(&evaluation.dataset)?);
    let found = translate(setting.model, &requests, &evaluation.search, setting.precision, setting.cancel)?;
    let search_seconds = started.elapsed().as_secs_f64();
    let tokens = found.iter().map(|best| spoken(best, evaluation)).collect::<Result<Vec<_>, _>>()?;
    let hypotheses: Vec<String> = tokens.iter().map(|line| evaluation.text.restore(line)).collect();
    let bleu = bleu::corpus(&hypotheses, &evaluation.references)?;
    let chrf = chrf::corpus(&hypotheses, &evaluation.references)?;
    Ok(Scores {
        perplexity: losses.nll.exp(),
        losses,
        bleu: bleu.score,
        bleu_signature: bleu.signature,
        chrf: chrf.score,
        chrf_signature: chrf.signature,
        hypotheses,
        tokens,
        search_seconds,
    })
}

/// Searches for all requests, longest first, so that what each decoder layer keeps of its sources peaks at once; results are in the order of
/// `requests`.
pub(crate) fn translate(
    model: &dyn Model,
    requests: &[Request],
    options: &SearchOptions,
    precision: Precision,
    cancel: &AtomicBool,
) -> Result<Vec<Vec<Hypothesis>>, TrainerError> {
    let translator = translator(model)?;
    let most_rows = (LOGIT_BYTES / (size_of::<f32>() * translator.vocabulary() * options.beam.max(1))).max(1);
    let searcher = Searcher::new(translator, *options, precision)?;
    requests.iter().try_for_each(|request| searcher.check(request))?;
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(requests[index].source.len()));
    let mut results = vec![Vec::new(); requests.len()];
    for batch in batches(&order, requests, options.beam, most_rows) {
        let rows: Vec<&Request> = batch.iter().map(|&index| &requests[index]).collect();
        let found = searcher.search(&rows, cancel)?;
        for (&index, found) in batch.iter().zip(found) {
            results[index] = found;
        }
    }
    Ok(results)
}

fn batches<'a>(order: &'a [usize], requests: &[Request], beam: usize, most_rows: usize) -> Vec<&'a [usize]> {
    let mut batches = Vec::new();
    let mut rest = order;
    while let Some(&longest) = rest.first() {
        let rows = (SEARCH_TOKENS / (requests[longest].source.len().max(1) * beam))
            .clamp(1, most_rows.min(rest.len()));
        let (batch, after) = rest.split_at(rows);
        batches.push(batch);
        rest = after;
    }
    batches
}

fn translator(model: &dyn Model) -> Result<&dyn Translator, TrainerError> {
    model.as_translator().ok_or_else(|| TrainerError::State {
        message: "this model does not translate; load one with an encoder and a decoder".into(),
    })
}

fn sources(dataset: &Dataset) -> Result<Vec<Vec<i32>>, TrainerError> {
    let all: Vec<u64> = (0..dataset.len() as u64).collect();
    let columns = dataset.gather(&all)?;
    match columns.iter().find(|(name, _)| name == "source") {
        Some((_, Column::Ragged { values, offsets })) => {
            Ok(offsets.windows(2).map(|ends| values[ends[0] as usize..ends[1] as usize].to_vec()).collect())
        }
        _ => Err(TrainerError::Batch { message: "the data set has no ragged column \"source\"".into() }),
    }
}

/// The best hypothesis's words; nothing found is the empty string.
fn spoken(best: &[Hypothesis], evaluation: &Evaluation) -> Result<String, TrainerError> {
    match best.first() {
        Some(hypothesis) => Ok(evaluation.tokenizer.decode(&hypothesis.tokens)?),
        None => Ok(String::new()),
    }
}

fn check_references(evaluation: &Evaluation) -> Result<(), TrainerError> {
    let (references, samples) = (evaluation.references.len(), evaluation.dataset.len());
    if references == samples {
        return Ok(());
    }
    let message = format!("{references} references for {samples} sources; give one a source");
    Err(TrainerError::Option { key: "references", message })
}
