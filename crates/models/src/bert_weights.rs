//! The tensors of a BERT or RoBERTa folder under the names they have in a sequence classifier, whatever model was saved.

use std::collections::BTreeMap;
use std::path::Path;

use tch::Tensor;

use crate::bert_spec::Architecture;
use crate::error::{ModelError, Result};
use crate::parameters::Declaration;
use crate::weights::Weights;

/// Tensors by the name that a sequence classifier gives them.
pub struct BertWeights {
    weights: Weights,
    /// From that name to the file's own.
    names: BTreeMap<String, String>,
}

impl BertWeights {
    /// Opens a folder's weights.
    ///
    /// # Errors
    /// Those of [`Weights::open`]; `ERR_MODEL` where one tensor is there under two names.
    pub fn open(folder: &Path, architecture: Architecture) -> Result<Self> {
        let weights = Weights::open(folder)?;
        let mut names = BTreeMap::new();
        for own in weights.names().filter(|name| !is_buffer(name)) {
            let name = classifiers_name(own, architecture);
            if let Some(other) = names.insert(name, own.to_owned()) {
                let problem = format!("{own} and {other} are one parameter");
                return Err(ModelError::folder(weights.path(), problem));
            }
        }
        Ok(Self { weights, names })
    }

    /// The file that errors are about.
    pub fn path(&self) -> &Path {
        self.weights.path()
    }

    /// Whether there is a tensor of that name.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// What keeps the tensor `name` from being the declared parameter's value, if anything does.
    pub fn mismatch(&self, name: &str, declared: &Declaration) -> Option<String> {
        let Some(own) = self.names.get(name) else { return Some(format!("missing: {}", declared.name)) };
        let found = self.weights.shape(own).unwrap_or_default();
        let wanted = &declared.shape;
        (found != *wanted).then(|| format!("mis-shaped: {own} is {found:?}, {wanted:?} is expected"))
    }

    /// A tensor in float32. Errors: those of [`Weights::tensor`].
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        self.weights.tensor(self.names.get(name).map_or(name, String::as_str))
    }

    /// The file's own names of the tensors that `taken` does not name.
    pub fn others(&self, taken: impl Fn(&str) -> bool) -> Vec<String> {
        self.names.iter().filter(|(name, _)| !taken(name)).map(|(_, own)| own.clone()).collect()
    }

    /// Refuses a folder by what does not fit, if anything.
    pub fn refuse(&self, problems: &[String]) -> Result<()> {
        if problems.is_empty() {
            return Ok(());
        }
        let problem = format!("does not fit config.json:\n  {}", problems.join("\n  "));
        Err(ModelError::folder(self.path(), problem))
    }
}

/// Numbers from 0 on, which older folders hold as if they were weights.
fn is_buffer(name: &str) -> bool {
    name.ends_with("embeddings.position_ids") || name.ends_with("embeddings.token_type_ids")
}

/// A bare encoder's names lack the architecture's, and norms converted from TensorFlow have a gamma and a beta.
fn classifiers_name(own: &str, architecture: Architecture) -> String {
    let bare = ["embeddings.", "encoder.", "pooler."].iter().any(|part| own.starts_with(part));
    let name = if bare { format!("{}.{own}", architecture.name()) } else { own.to_owned() };
    for (old, new) in [(".LayerNorm.gamma", ".LayerNorm.weight"), (".LayerNorm.beta", ".LayerNorm.bias")] {
        if let Some(start) = name.strip_suffix(old) {
            return start.to_owned() + new;
        }
    }
    name
}
