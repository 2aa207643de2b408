//! Which parameters get what: scopes by role, name and glob, and groups.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{OptimError, Optimizer, OptimizerOptions, Owned, ParameterInfo, Role};
use serde_json::{Value, json};
use support::{Bench, options, spec};

fn optimizer(sage: Value, parameters: &[ParameterInfo]) -> Result<Optimizer, OptimError> {
    Optimizer::new(
        &spec("adam", &json!({ "lr": 1, "sage": sage })),
        parameters,
        &OptimizerOptions::default(),
        &Owned,
    )
}

fn named(names: &[&str]) -> Vec<ParameterInfo> {
    names.iter().map(|name| ParameterInfo::new(*name, [2])).collect()
}

const BERT: [&str; 14] = [
    "bert.embeddings.word_embeddings.weight",
    "bert.encoder.layer.0.attention.self.query.weight",
    "bert.encoder.layer.0.attention.self.query.bias",
    "bert.encoder.layer.0.attention.self.key.weight",
    "bert.encoder.layer.0.attention.self.value.weight",
    "bert.encoder.layer.0.attention.output.dense.weight",
    "bert.encoder.layer.0.attention.output.LayerNorm.weight",
    "bert.encoder.layer.11.intermediate.dense.weight",
    "bert.encoder.layer.11.output.dense.weight",
    "bert.encoder.layer.11.output.dense.bias",
    "bert.encoder.layer.11.output.LayerNorm.weight",
    "bert.pooler.dense.weight",
    "classifier.weight",
    "classifier.bias",
];

#[test]
fn encoder_linear_goes_by_hugging_face_names_where_no_role_is_given() {
    let scoped = optimizer(json!({ "scope": "encoder-linear" }), &named(&BERT)).unwrap();
    let expected: Vec<_> = [1, 2, 3, 4, 5, 7, 8, 9].map(|index| BERT[index]).to_vec();
    assert_eq!(scoped.resolved_scope(), expected);

    let marian = [
        "model.shared.weight",
        "model.encoder.layers.0.self_attn.q_proj.weight",
        "model.encoder.layers.0.self_attn_layer_norm.weight",
        "model.encoder.layers.0.fc1.bias",
        "model.decoder.layers.0.fc1.weight",
        "model.decoder.layers.0.encoder_attn.q_proj.weight",
    ];
    let scoped = optimizer(json!({ "scope": "encoder-linear" }), &named(&marian)).unwrap();
    assert_eq!(scoped.resolved_scope(), [marian[1], marian[3]]);
}

#[test]
fn encoder_linear_goes_by_role_where_a_model_gives_one() {
    // The last has a name that would be selected, and no role.
    let mut parameters =
        named(&["a", "b", "c", "d", "encoder.layer.0.output.dense.weight", "encoder.layer.1.fc1.bias"]);
    let roles = [Role::EncoderLinear, Role::Embedding, Role::Linear, Role::Normalisation, Role::Other];
    for (parameter, role) in parameters.iter_mut().zip(roles) {
        parameter.role = Some(role);
    }
    assert_eq!(optimizer(json!({ "scope": "encoder-linear" }), &parameters).unwrap().resolved_scope(), ["a"]);
}

#[test]
fn globs_cross_dots_and_exclude() {
    let scope = json!({ "scope": { "include": ["bert.encoder.*"], "exclude": ["*.bias", "*LayerNorm*"] } });
    let scoped = optimizer(scope, &named(&BERT)).unwrap();
    assert_eq!(scoped.resolved_scope(), [1, 3, 4, 5, 7, 8].map(|index| BERT[index]));
    assert_eq!(optimizer(json!({}), &named(&BERT)).unwrap().resolved_scope(), BERT);
    assert!(optimizer(json!({ "modulation": "none" }), &named(&BERT)).unwrap().resolved_scope().is_empty());
}

#[test]
fn what_selects_nothing_is_an_error_with_a_few_names() {
    for (scope, selector) in [
        (json!("encoder-linear"), "'encoder-linear'"),
        (json!({ "include": ["*"], "exclude": ["*"] }), "without"),
        (json!({ "include": ["*", "encodr.*"] }), "'encodr.*'"),
        (json!({ "include": ["*"], "exclude": ["*.biass"] }), "'*.biass'"),
        (json!({ "include": [] }), "[]"),
    ] {
        let error = optimizer(json!({ "scope": scope }), &named(&["fc.weight", "fc.bias"])).err().unwrap();
        assert_eq!(error.code(), "ERR_SCOPE_EMPTY");
        let message = error.to_string();
        assert!(
            message.contains(selector) && message.contains("fc.weight") && message.contains("sage.scope"),
            "{message}"
        );
    }
    let error = optimizer(json!({ "scope": { "include": ["["] } }), &named(&["a"])).err().unwrap();
    assert_eq!(error.code(), "ERR_CONFIG");
}

#[test]
fn a_group_has_its_own_rate_and_decay() {
    let adamw = spec("adamw", &json!({ "lr": 0.1, "weightDecay": 0.5 }));
    let groups = options(json!({ "groups": [
        { "include": ["*.bias"], "weightDecay": 0.0 },
        { "include": ["head.weight"], "lr": 0.2 },
    ] }));
    let start = [("body.weight", vec![1.0f64]), ("body.bias", vec![1.0]), ("head.weight", vec![1.0])];
    let mut bench = Bench::new(&adamw, &groups, &start);
    bench.step(&[vec![0.0], vec![0.0], vec![0.0]]);
    assert_eq!(bench.data, [[1.0 - 0.1 * 0.5], [1.0], [1.0 - 0.2 * 0.5]]);
}

#[test]
fn a_group_has_its_own_beta0() {
    let adam = |beta0| spec("adam", &json!({ "lr": 0.1, "sage": { "beta0": beta0 } }));
    let groups = options(json!({ "groups": [{ "include": ["b"], "beta0": 0.5 }] }));
    let mut grouped = Bench::new(&adam(0.9), &groups, &[("a", vec![1.0f64]), ("b", vec![1.0])]);
    let mut alone = Bench::plain(&adam(0.5), &[("b", vec![1.0f64])]);
    for gradient in [0.1, -0.3, 0.2] {
        grouped.step(&[vec![gradient], vec![gradient]]);
        alone.step(&[vec![gradient]]);
    }
    assert_eq!(grouped.data[1], alone.data[0]);
    assert_ne!(grouped.data[0], grouped.data[1]);
}

#[test]
fn groups_that_cannot_be_are_refused() {
    let make = |sage: Value, groups: Value| {
        let mut adam = json!({ "lr": 1 });
        if !sage.is_null() {
            adam["sage"] = sage;
        }
        let options = options(json!({ "groups": groups }));
        Optimizer::<f32>::new(&spec("adam", &adam), &named(&["a", "b"]), &options, &Owned).err().unwrap()
    };
    let twice = json!([{ "include": ["a"], "lr": 1 }, { "include": ["*"], "lr": 2 }]);
    for (error, code, words) in [
        (make(json!(null), twice), "ERR_CONFIG", "'a' is in groups[0] too"),
        (make(json!(null), json!([{ "include": ["c"], "lr": 1 }])), "ERR_SCOPE_EMPTY", "groups[0].include"),
        (make(json!(null), json!([{ "include": ["a"], "beta0": 0.5 }])), "ERR_CONFIG", "sage is off"),
        (
            make(json!({ "scope": { "include": ["b"] } }), json!([{ "include": ["a"], "beta0": 0.5 }])),
            "ERR_CONFIG",
            "none of its parameters is in sage.scope",
        ),
    ] {
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(words), "{error}");
    }
    let twins = Optimizer::<f32>::new(
        &spec("adam", &json!({ "lr": 1 })),
        &named(&["a", "a"]),
        &options(json!({})),
        &Owned,
    );
    assert_eq!(twins.err().unwrap().code(), "ERR_ARGUMENT");
}
