//! What a user may write, what is filled in, and what is said about the rest.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{
    Modulation, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo, SageSpec, ScheduleSpec,
};
use serde_json::{Value, json};

fn read(value: &Value) -> Result<OptimizerSpec, sagetrain_optim::OptimError> {
    OptimizerSpec::from_json(value, "optimizer")
}

#[test]
fn defaults_are_filled_in_and_survive_json() {
    let spec = read(&json!({ "type": "adam", "lr": 1e-3, "sage": {}, "observe": { "every": 10 } })).unwrap();
    let expected = json!({
        "type": "adam", "lr": 1e-3, "betas": [0.9, 0.999], "eps": 1e-8, "weightDecay": 0.0, "decay": "coupled",
        "sage": { "beta0": 0.75, "form": "paper", "epsilon": 1e-12, "modulation": "sage", "scope": "all" },
        "observe": { "every": 10 },
    });
    assert_eq!(serde_json::to_value(&spec).unwrap(), expected);
    assert_eq!(read(&expected).unwrap(), spec);
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<OptimizerSpec>(&text).unwrap(), spec);

    let spec = read(&json!({ "type": "adamw", "lr": 1, "observe": { "every": 1 } })).unwrap();
    let value = serde_json::to_value(&spec).unwrap();
    assert_eq!((&value["decay"], &value["observe"]["beta0"]), (&json!("decoupled"), &json!(0.75)));
    assert_eq!(read(&value).unwrap(), spec);

    let spec = read(&json!({ "type": "adamax", "lr": 1, "sage": { "form": "released" } })).unwrap();
    let value = serde_json::to_value(&spec).unwrap();
    assert_eq!((&value["eps"], value.get("decay"), value["sage"].get("epsilon")), (&json!(1e-6), None, None));
    assert_eq!(read(&value).unwrap(), spec);

    let spec = read(&json!({ "type": "sgd", "lr": 1, "momentum": 0.9, "nesterov": true })).unwrap();
    let value = serde_json::to_value(&spec).unwrap();
    assert_eq!((&value["decay"], &value["weightDecay"]), (&json!("coupled"), &json!(0.0)));
    assert_eq!(read(&value).unwrap(), spec);

    let names = json!({ "type": "adam", "lr": 1, "sage": { "modulation": "none", "scope": { "include": ["a"], "exclude": ["b"] } } });
    let spec = read(&names).unwrap();
    assert_eq!(read(&serde_json::to_value(&spec).unwrap()).unwrap(), spec);
}

#[test]
fn what_cannot_be_is_said_with_its_path() {
    let adam = |key: &str, value: Value| {
        let mut spec = json!({ "type": "adam", "lr": 1e-3 });
        spec[key] = value;
        spec
    };
    let released = |key: &str, value: Value| {
        let mut spec = json!({ "type": "adamax", "lr": 1e-3, "sage": { "form": "released" } });
        spec[key] = value;
        spec
    };
    for (value, words) in [
        (json!({ "type": "adam" }), "optimizer.lr: is missing, must be a learning rate"),
        (json!({ "lr": 1 }), "optimizer.type: is missing"),
        (
            json!({ "type": "adamm", "lr": 1 }),
            "optimizer.type: is 'adamm', must be one of 'sgd', 'adam', 'adamw', 'adamax'; did you mean 'adam'?",
        ),
        (
            json!({ "type": "lion", "lr": 1 }),
            "optimizer.type: is 'lion', must be one of 'sgd', 'adam', 'adamw', 'adamax'; there are sgd, adam",
        ),
        (json!([1]), "optimizer.type: is missing"),
        (adam("lr", json!(-1)), "optimizer.lr: is -1, must be a number of at least 0"),
        (adam("lr", json!("1e-3")), "optimizer.lr: is '1e-3'"),
        (adam("learningRate", json!(1)), "optimizer.learningRate: unknown key"),
        (
            adam("weight_decay", json!(0.1)),
            "optimizer.weight_decay: unknown key; did you mean 'weightDecay'?",
        ),
        (adam("betas", json!([0.9, 1.0])), "optimizer.betas"),
        (adam("betas", json!([0.9])), "optimizer.betas: is a list, must be two numbers"),
        (adam("eps", json!(0)), "optimizer.eps: is 0, must be a number above 0"),
        (adam("momentum", json!(0.9)), "optimizer.momentum: unknown key"),
        (
            json!({ "type": "sgd", "lr": 1, "momentum": 1 }),
            "optimizer.momentum: is 1, must be a number from 0 to below 1",
        ),
        (
            json!({ "type": "sgd", "lr": 1, "nesterov": true }),
            "optimizer.nesterov: has no effect without momentum",
        ),
        (json!({ "type": "sgd", "lr": 1, "nesterov": 1 }), "optimizer.nesterov: is 1, must be true or false"),
        (json!({ "type": "sgd", "lr": 1, "betas": [0.9, 0.9] }), "optimizer.betas: unknown key"),
        (
            adam("sage", json!({ "form": "released" })),
            "optimizer.sage.form: 'released' exists of adamw and adamax alone",
        ),
        (
            json!({ "type": "sgd", "lr": 1, "sage": { "form": "released" } }),
            "optimizer.sage.form: 'released' exists of",
        ),
        (released("decay", json!("decoupled")), "optimizer.decay: has no effect in the released form"),
        (
            released("sage", json!({ "form": "released", "epsilon": 1e-9 })),
            "optimizer.sage.epsilon: has no effect",
        ),
        (
            released("sage", json!({ "form": "released", "modulation": "none" })),
            "optimizer.sage.modulation: the released form",
        ),
        (adam("decay", json!("decouple")), "did you mean 'decoupled'?"),
        (adam("sage", json!(true)), "optimizer.sage: is a boolean, must be an object"),
        (adam("sage", json!({ "beta": 0.9 })), "optimizer.sage.beta: unknown key; did you mean 'beta0'?"),
        (adam("sage", json!({ "beta0": 1 })), "optimizer.sage.beta0: is 1, must be a number between 0 and 1"),
        (adam("sage", json!({ "epsilon": 0 })), "optimizer.sage.epsilon: is 0, must be a number above 0"),
        (adam("sage", json!({ "modulation": "Sage" })), "did you mean 'sage'?"),
        (adam("sage", json!({ "scope": "encoder" })), "optimizer.sage.scope: is 'encoder'"),
        (adam("sage", json!({ "scope": { "exclude": [] } })), "optimizer.sage.scope.include: is missing"),
        (
            adam("sage", json!({ "scope": { "include": "x" } })),
            "optimizer.sage.scope.include: is 'x', must be a list of strings",
        ),
        (adam("observe", json!({})), "optimizer.observe.every: is missing"),
        (adam("observe", json!({ "every": 0 })), "optimizer.observe.every: is 0"),
        (adam("observe", json!({ "every": 1.5 })), "optimizer.observe.every: is 1.5"),
        (
            json!({ "type": "adam", "lr": 1, "sage": {}, "observe": { "every": 1, "beta0": 0.9 } }),
            "optimizer.observe.beta0: has no effect beside sage",
        ),
    ] {
        let error = read(&value).unwrap_err();
        assert_eq!(error.code(), "ERR_CONFIG");
        assert!(error.to_string().contains(words), "{value}: {error}");
    }
}

#[test]
fn options_are_read_and_written() {
    let value = json!({
        "groups": [{ "include": ["*.bias"], "weightDecay": 0.0 }],
        "maxGradientNorm": 1.0, "nonFinite": "skip", "schedule": { "type": "linear", "warmupRatio": 0.1 }, "totalSteps": 10,
    });
    let options = OptimizerOptions::from_json(&value, "").unwrap();
    assert_eq!(serde_json::to_value(&options).unwrap(), value);
    assert_eq!(OptimizerOptions::from_json(&json!({}), "").unwrap(), OptimizerOptions::default());
    assert!(
        OptimizerOptions::from_json(&json!({ "rounding": "nearest", "sensitivityDtype": "float32" }), "")
            .is_ok()
    );
}

#[test]
fn options_that_cannot_be_are_said_with_their_path() {
    for (value, words) in [
        (json!({ "maxGradNorm": 1 }), "maxGradNorm: unknown key; did you mean 'maxGradientNorm'?"),
        (json!({ "maxGradientNorm": 0 }), "maxGradientNorm: is 0, must be a number above 0"),
        (
            json!({ "nonFinite": "ignore" }),
            "nonFinite: is 'ignore', must be one of 'error', 'skip', 'unchecked'",
        ),
        (json!({ "average": {} }), "average.decay: is missing, such as 0.999"),
        (json!({ "average": { "decay": 1 } }), "average.decay: is 1, must be a number from 0 to below 1"),
        (json!({ "average": 0.999 }), "average: is a number, must be an object"),
        (
            json!({ "rounding": "khan" }),
            "rounding: is 'khan', must be one of 'nearest', 'stochastic', 'kahan'; did you mean 'kahan'?",
        ),
        (
            json!({ "sensitivityDtype": "float16" }),
            "sensitivityDtype: is 'float16', must be one of 'float32', 'bfloat16'",
        ),
        (json!({ "seed": 1, "rounding": "kahan" }), "seed: has no effect without rounding 'stochastic'"),
        (json!({ "schedule": { "type": "cosine", "warmupSteps": 1 } }), "totalSteps: is missing"),
        (json!({ "schedule": { "type": "cosine" } }), "schedule.warmupSteps: is missing"),
        (json!({ "groups": {} }), "groups: must be a list"),
        (json!({ "groups": [{ "include": ["a"] }] }), "groups[0]: changes nothing"),
        (json!({ "groups": [{ "lr": 1 }] }), "groups[0].include: is missing"),
        (
            json!({ "groups": [{ "include": ["a"], "lr": 1 }, { "include": ["b"], "decay": 0 }] }),
            "groups[1].decay: unknown key",
        ),
    ] {
        let error = OptimizerOptions::from_json(&value, "").unwrap_err();
        assert_eq!(error.code(), "ERR_CONFIG");
        assert!(error.to_string().contains(words), "{value}: {error}");
    }
}

#[test]
fn an_epsilon_that_vanishes_in_float32_is_refused_there() {
    let make = |value: Value| read(&value).unwrap();
    let parameters = [ParameterInfo::new("w", [1])];
    for (value, path) in [
        (json!({ "type": "adam", "lr": 1, "eps": 1e-40 }), "optimizer.eps"),
        (json!({ "type": "sgd", "lr": 1, "sage": { "epsilon": 1e-38 } }), "optimizer.sage.epsilon"),
        (json!({ "type": "adamw", "lr": 1, "eps": 1e-20, "sage": { "form": "released" } }), "optimizer.eps"),
    ] {
        let options = OptimizerOptions::default();
        let error = Optimizer::<f32>::new(&make(value.clone()), &parameters, &options, &Owned).err().unwrap();
        assert!(error.code() == "ERR_CONFIG" && error.to_string().starts_with(path), "{error}");
        assert!(Optimizer::<f64>::new(&make(value), &parameters, &options, &Owned).is_ok());
    }
}

#[test]
fn what_is_made_in_rust_is_held_to_the_same() {
    let parameters = [ParameterInfo::new("w", [1])];
    let refused = |spec: &OptimizerSpec, options: &OptimizerOptions| {
        let error = Optimizer::<f32>::new(spec, &parameters, options, &Owned).err().unwrap();
        assert_eq!(error.code(), "ERR_CONFIG");
        error.to_string()
    };
    let default = OptimizerOptions::default();
    assert!(refused(&OptimizerSpec::adam(-1.0), &default).starts_with("optimizer.lr: is -1"));
    assert!(refused(&OptimizerSpec::adam(f64::NAN), &default).starts_with("optimizer.lr: is missing"));
    let released = SageSpec { modulation: Some(Modulation::Released), ..SageSpec::default() };
    assert!(refused(&OptimizerSpec::adamw(1.0).with_sage(released), &default).contains("sage.modulation"));
    let endless = OptimizerOptions { schedule: ScheduleSpec::Cosine { warmup_steps: 1 }, ..default };
    assert!(refused(&OptimizerSpec::adam(1.0), &endless).starts_with("totalSteps: is missing"));
}
