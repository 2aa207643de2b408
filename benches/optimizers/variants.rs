//! What is timed.

use sagetrain_benches::precision::Traffic;
use sagetrain_optim::{
    AverageSpec, Form, NonFinite, ObserveSpec, OptimizerOptions, OptimizerSpec, SageSpec, SgdSpec,
};

/// An optimizer with its options.
pub struct Variant {
    pub name: String,
    pub spec: OptimizerSpec,
    pub options: OptimizerOptions,
    /// The variant that its time is divided by.
    pub base: &'static str,
}

impl Variant {
    pub fn traffic(&self) -> Traffic {
        let Self { spec, options, .. } = self;
        Traffic {
            states: spec.states().len(),
            sensitivity: spec.sage().is_some() || spec.observe().is_some(),
            norm: options.non_finite != NonFinite::Unchecked || options.max_gradient_norm.is_some(),
            average: options.average.is_some(),
        }
    }
}

/// The update alone of every optimizer: plain, with SAGE, and in the released form.
pub fn updates() -> Vec<Variant> {
    let momentum = OptimizerSpec::Sgd(SgdSpec { momentum: 0.9, ..SgdSpec::new(1e-3) });
    let plain = [
        ("SGD", OptimizerSpec::sgd(1e-3)),
        ("SGD momentum", momentum),
        ("Adam", OptimizerSpec::adam(1e-3)),
        ("AdamW", decayed(OptimizerSpec::adamw(1e-3))),
        ("Adamax", OptimizerSpec::adamax(1e-3)),
    ];
    let mut variants = Vec::new();
    for (base, spec) in plain {
        let mut add = |name: String, spec| variants.push(Variant { name, spec, options: unchecked(), base });
        add(base.to_owned(), spec.clone());
        add(format!("{base}-SAGE"), spec.clone().with_sage(SageSpec::default()));
        if matches!(base, "AdamW" | "Adamax") {
            add(format!("{base}-SAGE released"), released(spec));
        }
    }
    variants
}

/// Adam and Adam-SAGE alone.
pub fn adams() -> Vec<Variant> {
    updates().into_iter().filter(|variant| matches!(variant.name.as_str(), "Adam" | "Adam-SAGE")).collect()
}

/// Adam-SAGE alone.
pub fn guided() -> Vec<Variant> {
    updates().into_iter().filter(|variant| variant.name == "Adam-SAGE").collect()
}

/// What options add to Adam and to Adam-SAGE.
pub fn options() -> Vec<Variant> {
    let checked = OptimizerOptions::default;
    let clipped = |options| OptimizerOptions { max_gradient_norm: Some(1.0), ..options };
    let averaged = OptimizerOptions { average: Some(AverageSpec { decay: 0.999 }), ..unchecked() };
    let (plain, sage) = (OptimizerSpec::adam(1e-3), OptimizerSpec::adam(1e-3).with_sage(SageSpec::default()));
    let variant = |name: &str, spec: &OptimizerSpec, options, base| Variant {
        name: name.to_owned(),
        spec: spec.clone(),
        options,
        base,
    };
    vec![
        variant("Adam, checked", &plain, checked(), "Adam"),
        variant("Adam, observed", &observed(plain.clone()), unchecked(), "Adam"),
        variant("Adam-SAGE, checked", &sage, checked(), "Adam-SAGE"),
        variant("Adam-SAGE, clipped", &sage, clipped(unchecked()), "Adam-SAGE"),
        variant("Adam-SAGE, clipped and checked", &sage, clipped(checked()), "Adam-SAGE, clipped"),
        variant("Adam-SAGE, averaged", &sage, averaged, "Adam-SAGE"),
    ]
}

fn unchecked() -> OptimizerOptions {
    OptimizerOptions { non_finite: NonFinite::Unchecked, ..OptimizerOptions::default() }
}

fn decayed(mut spec: OptimizerSpec) -> OptimizerSpec {
    if let OptimizerSpec::AdamW(moments) = &mut spec {
        moments.weight_decay = 0.01;
    }
    spec
}

/// The released form; its ε and the place of its decay are its own.
fn released(mut spec: OptimizerSpec) -> OptimizerSpec {
    if let OptimizerSpec::AdamW(moments) | OptimizerSpec::Adamax(moments) = &mut spec {
        (moments.decay, moments.eps) = (None, 1e-6);
    }
    spec.with_sage(SageSpec { form: Form::Released, epsilon: None, ..SageSpec::default() })
}

/// Between two reports: E is kept, nobody looks.
fn observed(mut spec: OptimizerSpec) -> OptimizerSpec {
    if let OptimizerSpec::Adam(moments) = &mut spec {
        moments.observe = Some(ObserveSpec { every: 1 << 40, beta0: None });
    }
    spec
}
