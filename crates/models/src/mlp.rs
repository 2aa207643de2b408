//! A perceptron that classifies dense features.

use std::path::Path;

use sagetrain_torch::Activation;
use tch::{Kind, Tensor};

use crate::classification::classification_loss;
use crate::error::{ModelError, Result};
use crate::init::Initial;
use crate::inputs::Inputs;
use crate::layout::Layout;
use crate::linear::Linear;
use crate::mlp_folder;
use crate::mlp_spec::MlpSpec;
use crate::model::{Forward, Loss, Model};
use crate::parameters::{Declaration, Parameters, Role};
use crate::spec::ModelSpec;

/// The batch's column of features, `inputs` wide.
pub const FEATURES: &str = "features";
/// The batch's column of class ids, one a sample.
pub const LABEL: &str = "label";

/// Hidden layers and an output layer.
#[derive(Debug)]
pub struct Mlp {
    pub(crate) spec: MlpSpec,
    model_spec: ModelSpec,
    parameters: Parameters,
    hidden: Vec<Linear>,
    output: Linear,
}

impl Mlp {
    /// The parameters in order: `layers.<i>.{weight,bias}`, `output.{weight,bias}`, drawn as `torch.nn.Linear` draws them.
    pub fn layout(spec: &MlpSpec) -> Vec<Declaration> {
        let mut layout = Layout::default();
        let mut inputs = spec.inputs;
        for (index, &width) in spec.hidden.iter().enumerate() {
            declare(&mut layout, &format!("layers.{index}"), [inputs, width], Role::HiddenLinear);
            inputs = width;
        }
        declare(&mut layout, "output", [inputs, spec.classes], Role::Output);
        layout.finish()
    }

    /// A model with initial values drawn from `seed`.
    pub fn create(spec: MlpSpec, seed: u64) -> Result<Self> {
        let parameters = Parameters::initialise(&Self::layout(&spec), seed)?;
        Self::assemble(spec, parameters)
    }

    /// Layers over given parameters.
    pub fn assemble(spec: MlpSpec, parameters: Parameters) -> Result<Self> {
        let layer = |index| Linear::new(&parameters, &format!("layers.{index}"));
        Ok(Self {
            hidden: (0..spec.hidden.len()).map(layer).collect::<Result<_>>()?,
            output: Linear::new(&parameters, "output")?,
            model_spec: ModelSpec::Mlp(spec.clone()),
            parameters,
            spec,
        })
    }

    fn features<'a>(&self, inputs: &'a Inputs) -> Result<&'a Tensor> {
        let features = inputs.get_dense(FEATURES)?;
        match features.size()[..] {
            [_, width] if width as usize == self.spec.inputs => Ok(features),
            ref found => {
                let problem = format!("[samples, {}] is expected, found {found:?}", self.spec.inputs);
                Err(ModelError::input(FEATURES, problem))
            }
        }
    }

    fn labels<'a>(&self, inputs: &'a Inputs, samples: i64) -> Result<&'a Tensor> {
        let labels = inputs.get_ragged(LABEL)?;
        labels.check(LABEL, self.spec.classes, 1)?;
        labels.check_count(LABEL, samples, FEATURES)?;
        Ok(&labels.values)
    }
}

fn declare(layout: &mut Layout, name: &str, [inputs, outputs]: [usize; 2], role: Role) {
    let initial = Initial::UniformFanIn { fan_in: inputs };
    layout.declare(format!("{name}.weight"), &[outputs, inputs], role, initial);
    layout.declare(format!("{name}.bias"), &[outputs], role, initial);
}

impl Model for Mlp {
    fn spec(&self) -> &ModelSpec {
        &self.model_spec
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn loss(&self, inputs: &Inputs, smoothing: f64, forward: &Forward) -> Result<Loss> {
        let logits = self.forward(inputs, forward)?; // [samples, classes]
        let labels = self.labels(inputs, logits.size()[0])?; // [samples]
        classification_loss(&logits, labels, smoothing)
    }

    fn forward(&self, inputs: &Inputs, forward: &Forward) -> Result<Tensor> {
        let features = self.features(inputs)?; // [samples, inputs]
        let (activation, precision) = (Activation::from(self.spec.activation), forward.precision);
        let mut hidden = self.hidden.iter();
        let x =
            hidden.try_fold(features.shallow_clone(), |x, layer| layer.apply(&x, activation, precision))?;
        Ok(self.output.apply(&x, Activation::None, precision)?.f_to_kind(Kind::Float)?)
    }

    fn save(&self, folder: &Path) -> Result<()> {
        mlp_folder::save(self, folder)
    }
}
