//! A pretrained encoder under a new head.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::bert::Bert;
use crate::bert_encoder::DEVIATION;
use crate::bert_head;
use crate::bert_settings::Settings;
use crate::bert_spec::{Architecture, BertSpec};
use crate::bert_weights::BertWeights;
use crate::error::{ModelError, Result};
use crate::fields::Fields;
use crate::head_spec::HeadOptions;
use crate::init::Initial;
use crate::json_file::{self, CONFIG};
use crate::parameters::{Declaration, Parameters};

/// Where the dense layer of the pooler comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooler {
    /// From the folder where it has one, as transformers' BERT does. What is drawn is drawn as there: N(0, `initializer_range`²), biases zero.
    Pretrained,
    /// Drawn, and the classifier too, as `torch.nn.Linear` draws: both are MT-DNN's.
    New,
}

/// What a pretrained encoder is to become.
#[derive(Debug, Clone, PartialEq)]
pub struct FineTune {
    /// Its head, whose last layer is always drawn.
    pub head: HeadOptions,
    /// Where the pooler comes from.
    pub pooler: Pooler,
    /// The encoder's dropout: the folder's where not given.
    pub dropout: Option<f64>,
    /// Dropout of attention weights, likewise.
    pub attention_dropout: Option<f64>,
}

/// What of a folder became of what, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadReport {
    /// Parameters whose values were drawn.
    pub new: Vec<String>,
    /// Tensors of the folder, under its own names, that the model has no use for.
    pub unused: Vec<String>,
    /// Parameters that were to come from the folder, which does not hold them: they are among the new ones.
    pub missing: Vec<String>,
    /// Settings of config.json that nothing is known about; they are saved again as they are.
    pub unknown_settings: Vec<String>,
}

impl FineTune {
    /// Reads `{ head, pooler?: "pretrained" | "new", dropout?, attentionDropout? }`; the pooler is the pretrained one where not given.
    ///
    /// # Errors
    /// `ERR_CONFIG` with the field's path for an unknown key, a missing head or an impossible value.
    pub fn read(path: &str, object: &Map<String, Value>) -> Result<Self> {
        let fields = Fields::new(path, object);
        let poolers = [("pretrained", Pooler::Pretrained), ("new", Pooler::New)];
        let head = fields.object("head")?.ok_or_else(|| fields.missing("head"))?;
        let wanted = Self {
            head: HeadOptions::read(&format!("{path}.head"), head)?,
            pooler: fields.word("pooler", &poolers)?.unwrap_or(Pooler::Pretrained),
            dropout: fields.probability("dropout")?,
            attention_dropout: fields.probability("attentionDropout")?,
        };
        fields.finish()?;
        Ok(wanted)
    }

    fn spec(&self, folder: BertSpec) -> BertSpec {
        let dropout = self.dropout.unwrap_or(folder.dropout);
        BertSpec {
            dropout,
            attention_dropout: self.attention_dropout.unwrap_or(folder.attention_dropout),
            head: Some(self.head.clone().on(folder.architecture, dropout)),
            ..folder
        }
    }
}

/// The encoder of a folder, whatever model of its architecture that holds, under a new head drawn from `seed`.
///
/// # Errors
/// `ERR_IO`; `ERR_MODEL` listing every setting that cannot be had here, or every missing and mis-shaped parameter of the encoder.
pub fn fine_tune(folder: &Path, wanted: &FineTune, seed: u64) -> Result<(Bert, LoadReport)> {
    let config = json_file::read(folder, CONFIG)?;
    let settings = Settings::read(folder, config.clone(), architecture(folder, &config)?)?;
    let unknown_settings = settings.unknown();
    let spec = wanted.spec(settings.spec);
    let weights = BertWeights::open(folder, spec.architecture)?;
    let layout = Bert::layout(&spec);
    let head = NewHead { pooler: wanted.pooler, deviation: initializer_range(&config) };
    let sources: Vec<Source> =
        layout.iter().map(|declared| Source::of(declared, &spec, &head, &weights)).collect();

    let problems = layout.iter().zip(&sources).filter_map(|(declared, source)| match source {
        Source::Folder(name) => weights.mismatch(name, declared),
        Source::Drawn { .. } => None,
    });
    weights.refuse(&problems.collect::<Vec<_>>())?;
    let values = (0u32..).zip(&layout).zip(&sources).map(|((index, declared), source)| match source {
        Source::Folder(name) => weights.tensor(name),
        Source::Drawn { initial, .. } => initial.tensor(&declared.shape, seed, index),
    });
    let parameters = Parameters::with_values(&layout, values.collect::<Result<_>>()?)?;
    let report = report(&layout, &sources, &weights, unknown_settings);
    Ok((Bert::assemble(spec, parameters, settings.kept)?, report))
}

/// What transformers draws new weights with.
fn initializer_range(config: &Map<String, Value>) -> f64 {
    config.get("initializer_range").and_then(Value::as_f64).unwrap_or(DEVIATION)
}

fn architecture(folder: &Path, config: &Map<String, Value>) -> Result<Architecture> {
    let kind = config.get("model_type").and_then(Value::as_str).unwrap_or("");
    let all = [Architecture::Bert, Architecture::Roberta];
    all.into_iter().find(|architecture| architecture.name() == kind).ok_or_else(|| {
        let known = all.map(Architecture::name);
        let problem =
            format!("model_type is \"{kind}\", one of {known:?} is expected: what can be fine-tuned");
        ModelError::folder(&folder.join(CONFIG), problem)
    })
}

/// How what the folder does not have is drawn.
struct NewHead {
    pooler: Pooler,
    /// Standard deviation of weights beside a pretrained pooler.
    deviation: f64,
}

impl NewHead {
    fn initial(&self, kind: &str, fan_in: usize) -> Initial {
        match (self.pooler, kind) {
            (Pooler::New, _) => Initial::UniformFanIn { fan_in },
            (Pooler::Pretrained, "bias") => Initial::Zeros,
            (Pooler::Pretrained, _) => Initial::Normal { deviation: self.deviation, zero_row: None },
        }
    }
}

/// Where a parameter's value comes from.
enum Source {
    /// The folder's tensor of that name.
    Folder(String),
    /// The seed; `missing` where the folder was to have it.
    Drawn { initial: Initial, missing: bool },
}

impl Source {
    fn of(declared: &Declaration, spec: &BertSpec, head: &NewHead, weights: &BertWeights) -> Self {
        let [pooler_name, classifier] = bert_head::names(spec.architecture);
        let pretrained = head.pooler == Pooler::Pretrained;
        let drawn = |kind, missing| Self::Drawn { initial: head.initial(kind, spec.hidden_size), missing };
        if let Some(kind) = part(&declared.name, classifier) {
            return drawn(kind, false);
        }
        let Some(kind) = part(&declared.name, pooler_name) else {
            return Self::Folder(declared.name.clone());
        };
        // The same function under the name it has in the bare encoder and in the classifier.
        let bare = format!("{}.pooler.dense", spec.architecture.name());
        let names = [pooler_name, bare.as_str()].map(|name| format!("{name}.{kind}"));
        match names.into_iter().find(|name| weights.has(name)).filter(|_| pretrained) {
            Some(name) => Self::Folder(name),
            None => drawn(kind, pretrained),
        }
    }
}

/// `weight` or `bias`, where `name` is that of the layer called `layer`.
fn part<'a>(name: &'a str, layer: &str) -> Option<&'a str> {
    name.strip_prefix(layer)?.strip_prefix('.').filter(|kind| ["weight", "bias"].contains(kind))
}

fn report(
    layout: &[Declaration],
    sources: &[Source],
    weights: &BertWeights,
    unknown_settings: Vec<String>,
) -> LoadReport {
    let names = |wanted: fn(&Source) -> bool| {
        let those = layout.iter().zip(sources).filter(|(_, source)| wanted(source));
        those.map(|(declared, _)| declared.name.clone()).collect()
    };
    let taken =
        |name: &str| sources.iter().any(|source| matches!(source, Source::Folder(taken) if taken == name));
    LoadReport {
        new: names(|source| matches!(source, Source::Drawn { .. })),
        missing: names(|source| matches!(source, Source::Drawn { missing: true, .. })),
        unused: weights.others(taken),
        unknown_settings,
    }
}
