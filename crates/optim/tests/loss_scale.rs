//! Dynamic loss scaling against `torch.amp.GradScaler` itself (`golden/loss_scale.py`), and where ours says more.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{
    LossScale, LossScaleSpec, LossScaleState, OptimError, Optimizer, OptimizerOptions, OptimizerSpec, Owned,
    ParameterInfo, Serial, StepInputs,
};
use serde_json::{Value, json};
use support::golden;

fn spec(value: Value) -> Result<LossScaleSpec, OptimError> {
    LossScaleSpec::from_json(&value, "lossScale")
}

/// torch's words for the options, in ours.
fn ours(options: &Value) -> LossScaleSpec {
    let words = [
        ("init_scale", "initial"),
        ("growth_factor", "growthFactor"),
        ("backoff_factor", "backoffFactor"),
        ("growth_interval", "growthInterval"),
    ];
    let given =
        words.iter().filter_map(|(torch, ours)| Some(((*ours).to_owned(), options.get(torch)?.clone())));
    spec(Value::Object(given.collect())).unwrap()
}

#[test]
fn every_scale_is_torchs_until_it_leaves_the_normal_numbers() {
    for case in golden("loss_scale")["cases"].as_array().unwrap() {
        let mut scale = LossScale::new(ours(&case["options"])).unwrap();
        let mut torch = scale.scale();
        let steps = case["found"].as_array().unwrap().iter();
        let after = case["scales"].as_array().unwrap().iter().zip(case["trackers"].as_array().unwrap());
        for (step, (found, (after, tracker))) in steps.zip(after).enumerate() {
            torch = after.as_f64().unwrap_or(torch);
            let result = scale.update(found == &json!(1));
            if torch < f64::from(f32::MIN_POSITIVE) {
                assert_eq!(case["name"], "vanishing");
                assert_eq!(result.unwrap_err().code(), "ERR_NON_FINITE");
                break;
            }
            result.unwrap();
            assert_eq!(scale.scale().to_bits(), torch.to_bits(), "{} step {}", case["name"], step + 1);
            assert_eq!(json!(scale.state().good_steps), *tracker, "{} step {}", case["name"], step + 1);
        }
    }
}

#[test]
fn a_scale_that_vanishes_is_an_error_and_stays() {
    let least = f64::from(f32::MIN_POSITIVE);
    let mut scale = LossScale::new(spec(json!({ "initial": least * 2.0 })).unwrap()).unwrap();
    scale.update(true).unwrap();
    let before = scale.clone();
    let error = scale.update(true).unwrap_err();
    assert!(error.to_string().contains("1.1754944e-38, the smallest normal float32"), "{error}");
    assert_eq!(scale, before);
}

#[test]
fn a_restored_scale_goes_on_as_it_would_have() {
    let spec = spec(json!({ "growthInterval": 3 })).unwrap();
    let mut through = LossScale::new(spec).unwrap();
    let mut restored = LossScale::new(spec).unwrap();
    for (step, found) in [true, false, false, true, false, false, false, false].into_iter().enumerate() {
        through.update(found).unwrap();
        if step == 4 {
            let saved = serde_json::to_string(&through.state()).unwrap();
            assert_eq!(saved, r#"{"scale":16384.0,"goodSteps":1}"#);
            restored.restore(serde_json::from_str(&saved).unwrap()).unwrap();
        } else if step > 4 {
            restored.update(found).unwrap();
        }
    }
    assert_eq!(restored, through);
    assert_eq!(through.scale(), 32768.0);
}

#[test]
fn a_shorter_interval_than_the_restored_count_grows_at_the_next_good_step() {
    let mut scale = LossScale::new(spec(json!({ "growthInterval": 5 })).unwrap()).unwrap();
    scale.restore(LossScaleState { scale: 4.0, good_steps: 7 }).unwrap();
    scale.update(false).unwrap();
    assert_eq!((scale.scale(), scale.state().good_steps), (8.0, 0));
}

#[test]
fn a_scale_that_cannot_be_is_not_restored() {
    let mut scale = LossScale::new(LossScaleSpec::default()).unwrap();
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-40, 1e39, 0.1] {
        let error = scale.restore(LossScaleState { scale: bad, good_steps: 0 }).unwrap_err();
        assert_eq!(error.code(), "ERR_CHECKPOINT", "{bad}");
    }
    assert_eq!(scale.scale(), 65536.0);
}

#[test]
fn the_spec_is_read_as_torch_has_it() {
    assert_eq!(spec(json!("dynamic")).unwrap(), LossScaleSpec::default());
    assert_eq!(spec(json!({})).unwrap(), LossScaleSpec::default());
    assert_eq!(
        serde_json::to_value(LossScaleSpec::default()).unwrap(),
        json!({ "initial": 65536.0, "growthFactor": 2.0, "backoffFactor": 0.5, "growthInterval": 2000 })
    );
}

#[test]
fn what_cannot_be_is_refused_by_its_key() {
    for (value, message) in [
        (
            json!({ "initial": 0 }),
            "lossScale.initial: is 0, must be a number that is finite and normal in float32",
        ),
        (json!({ "initial": 1e39 }), "lossScale.initial: is 1e+39, must"),
        (json!({ "growthFactor": 1 }), "lossScale.growthFactor: is 1, must be a number above 1"),
        (
            json!({ "backoffFactor": 1.0 }),
            "lossScale.backoffFactor: is 1.0, must be a number between 0 and 1",
        ),
        (
            json!({ "growthInterval": 0 }),
            "lossScale.growthInterval: is 0, must be a whole number of at least 1",
        ),
        (json!({ "growth": 2 }), "lossScale.growth: unknown key"),
        (json!("static"), "lossScale: is \"static\", must be 'dynamic' or an object with initial"),
        (json!(1024), "lossScale: is 1024, must be 'dynamic' or an object"),
    ] {
        let error = spec(value.clone()).unwrap_err();
        assert!(error.to_string().starts_with(message), "{value}: {error}");
        assert_eq!(error.code(), "ERR_CONFIG");
    }
}

/// Whatever the scale has grown to, training goes on: what cannot be divided out again counts as an overflow.
#[test]
fn a_scale_beyond_what_can_be_divided_out_backs_off() {
    let options = json!({ "lossScale": { "initial": 1e37, "growthFactor": 4, "growthInterval": 1 } });
    let options = OptimizerOptions::from_json(&options, "").unwrap();
    let infos = [ParameterInfo::new("w", [2])];
    let mut optimizer = Optimizer::<f32>::new(&OptimizerSpec::sgd(0.1), &infos, &options, &Owned).unwrap();
    let mut data = [1.0f32, 2.0];
    let inputs = StepInputs { divisor: 3.0, ..StepInputs::default() };
    let mut skipped = Vec::new();
    for _ in 0..6 {
        let report = optimizer.step(&mut [&mut data], &[Some(&[0.0, 0.0])], inputs, &Serial).unwrap();
        skipped.push(report.skipped);
        assert!(optimizer.loss_scale().is_finite());
    }
    assert!(skipped.contains(&true) && skipped.contains(&false), "{skipped:?}");
    assert_eq!(data, [1.0, 2.0]);
    let wrong = StepInputs { divisor: 0.0, ..StepInputs::default() };
    let error = optimizer.step(&mut [&mut data], &[Some(&[0.0, 0.0])], wrong, &Serial).unwrap_err();
    assert_eq!(error.code(), "ERR_ARGUMENT");
}
