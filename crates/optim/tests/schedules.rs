//! Schedules against the formulas of transformers, fairseq and pytorch-pretrained-bert: `golden/schedules.py`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{OptimError, ScheduleSpec};
use serde_json::{Value, json};
use support::golden;

fn schedule(value: Value) -> Result<ScheduleSpec, OptimError> {
    ScheduleSpec::from_json(&value, "schedule")
}

#[test]
fn multipliers_are_those_of_the_references() {
    let golden = golden("schedules");
    for case in golden["cases"].as_array().unwrap() {
        let spec = schedule(case["schedule"].clone()).unwrap();
        for (step, expected) in case["multipliers"].as_object().unwrap() {
            let found = spec.multiplier(step.parse().unwrap(), golden["total"].as_u64()).unwrap();
            let expected = expected.as_f64().unwrap();
            assert!(
                (found - expected).abs() < 1e-14,
                "{} at {step}: {found}, expected {expected}",
                case["schedule"]
            );
        }
    }
}

#[test]
fn nothing_is_left_past_the_last_step() {
    for value in [
        json!({ "type": "linear", "warmupSteps": 2 }),
        json!({ "type": "cosine", "warmupSteps": 2 }),
        json!({ "type": "polynomial", "power": 2, "warmupSteps": 2 }),
        json!({ "type": "warmupLinear", "warmupRatio": 0.2 }),
    ] {
        let spec = schedule(value).unwrap();
        assert_eq!([10, 11, 1000].map(|step| spec.multiplier(step, Some(10)).unwrap()), [0.0; 3], "{spec:?}");
        assert!(
            matches!(spec.multiplier(1, None), Err(OptimError::Config { path, .. }) if path == "totalSteps")
        );
    }
}

#[test]
fn every_multiplier_is_between_0_and_1_for_any_lengths() {
    for warmup in [1, 2, 5, 10, 20] {
        for total in [1, 2, 10] {
            let specs = [
                json!({ "type": "linear", "warmupSteps": warmup }),
                json!({ "type": "inverseSqrt", "warmupSteps": warmup }),
                json!({ "type": "cosine", "warmupSteps": warmup }),
                json!({ "type": "polynomial", "power": 0.3, "warmupSteps": warmup }),
            ];
            for spec in specs.map(|value| schedule(value).unwrap()) {
                let inside = |step| (0.0..=1.0).contains(&spec.multiplier(step, Some(total)).unwrap());
                assert!((1..30).all(inside), "{spec:?} over {total}");
            }
        }
    }
}

#[test]
fn specs_survive_json() {
    for value in [
        json!({ "type": "constant" }),
        json!({ "type": "linear", "warmupSteps": 3 }),
        json!({ "type": "linear", "warmupRatio": 0.1 }),
        json!({ "type": "inverseSqrt", "warmupSteps": 8000 }),
        json!({ "type": "cosine", "warmupSteps": 0 }),
        json!({ "type": "polynomial", "power": 1.5, "warmupSteps": 4 }),
        json!({ "type": "warmupLinear", "warmupRatio": 0.1 }),
    ] {
        assert_eq!(serde_json::to_value(schedule(value.clone()).unwrap()).unwrap(), value);
    }
}

#[test]
fn what_cannot_be_is_said_with_its_path() {
    for (value, words) in [
        (json!({ "type": "invSqrt", "warmupSteps": 1 }), "schedule.type: is 'invSqrt'"),
        (json!({ "type": "inversesqrt", "warmupSteps": 1 }), "did you mean 'inverseSqrt'?"),
        (
            json!({ "type": "inverseSqrt", "warmupSteps": 0 }),
            "schedule.warmupSteps: is 0, must be a whole number of at least 1",
        ),
        (json!({ "type": "inverseSqrt" }), "schedule.warmupSteps: is missing"),
        (
            json!({ "type": "linear", "warmupStep": 1 }),
            "schedule.warmupStep: unknown key; did you mean 'warmupSteps'?",
        ),
        (json!({ "type": "linear", "warmupSteps": 1, "warmupRatio": 0.1 }), "excludes warmupSteps"),
        (json!({ "type": "constant", "power": 1 }), "schedule.power: unknown key"),
        (json!({ "type": "polynomial", "warmupSteps": 1 }), "schedule.power: is missing"),
        (json!({ "type": "warmupLinear", "warmupRatio": 1.5 }), "from 0 to 1"),
        (json!({ "warmupSteps": 1 }), "schedule.type"),
        (json!("linear"), "schedule"),
    ] {
        let error = schedule(value.clone()).unwrap_err();
        assert_eq!(error.code(), "ERR_CONFIG");
        assert!(error.to_string().contains(words), "{value}: {error}");
    }
}
