//! Label smoothing in a session: which models can have it, and how much.

use crate::error::TrainerError;
use crate::options::RunOptions;
use sagetrain_models::{HeadKind, ModelSpec};

/// Refuses more than leaves the label the likeliest class, and any of a model that gives numbers.
pub(crate) fn check(spec: &ModelSpec, options: &RunOptions) -> Result<(), TrainerError> {
    let smoothing = options.label_smoothing;
    let classes = match spec {
        _ if smoothing == 0.0 => return Ok(()),
        ModelSpec::Transformer(_) => return Ok(()),
        ModelSpec::Mlp(spec) => spec.classes,
        ModelSpec::Bert(spec) => match &spec.head {
            None => return Ok(()),
            Some(head) if head.kind == HeadKind::Regression => {
                return Err(refuse(format!(
                    "{smoothing} of a model that gives a number, which has no label to smooth; leave it out"
                )));
            }
            Some(head) => head.classes,
        },
    } as f64;
    // What libtorch is given, which spreads it over all classes, the label's among them.
    if smoothing * classes / (classes - 1.0) <= 1.0 {
        return Ok(());
    }
    let most = (classes - 1.0) / classes;
    Err(refuse(format!(
        "{smoothing} is too much for {classes} classes: each of the others would weigh more than the label; give at most {most}"
    )))
}

fn refuse(message: String) -> TrainerError {
    TrainerError::Option { key: "labelSmoothing", message }
}
