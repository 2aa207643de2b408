//! Every optimizer, form, modulation and decay against the equations of the specification, written out here once more, one element at
//! a time in float64, with nothing shared: groups, scope, schedule, clipping, division and missing gradients included.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{Optimizer, Owned, ParameterInfo, Serial, StepInputs};
use serde_json::{Value, json};
use support::{numbers, options, spec};

const STEPS: u64 = 20;
const TOTAL: f64 = 25.0;
const DIVISOR: f64 = 3.0;
const LOSS_SCALE: f64 = 8.0;
const MAX_NORM: f64 = 2.0;
const BETAS: [f64; 2] = [0.8, 0.95];
const MOMENTUM: f64 = 0.7;
/// Relative to the larger of the parameter and the way it has gone.
const TOLERANCE: f64 = 1e-12;

/// Tensors by what is special about them: nothing, a rate and a decay of their own, a β0 of their own, being out of scope.
const TENSORS: [&str; 4] = ["in.plain", "in.rate", "in.beta", "out"];

/// One combination.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// `sgd`, `momentum`, `nesterov`, `adam`, `adamw` or `adamax`.
    optimizer: &'static str,
    released: bool,
    /// Empty: no `sage` at all.
    modulation: &'static str,
    observe: bool,
    /// Empty: the optimizer's default.
    decay: &'static str,
    lr: f64,
    weight_decay: f64,
    eps: f64,
    epsilon: f64,
}

const BASE: Case = Case {
    optimizer: "adam",
    released: false,
    modulation: "",
    observe: false,
    decay: "",
    lr: 2e-3,
    weight_decay: 0.05,
    eps: 1e-3,
    epsilon: 1e-3,
};

/// What differs between tensors.
struct Own {
    lr: f64,
    weight_decay: f64,
    beta0: f64,
    in_scope: bool,
}

impl Case {
    fn kind(&self) -> &'static str {
        if matches!(self.optimizer, "momentum" | "nesterov") { "sgd" } else { self.optimizer }
    }

    fn momentum(&self) -> f64 {
        if self.optimizer == "sgd" { 0.0 } else { MOMENTUM }
    }

    /// Whether E is kept of what is in scope.
    fn keeps(&self) -> bool {
        self.observe || !matches!(self.modulation, "" | "none")
    }

    fn keeps_of(&self, own: &Own) -> bool {
        // What is out of scope is not watched beside sage; without a modulation everything is.
        self.keeps() && (own.in_scope || matches!(self.modulation, "" | "none"))
    }

    fn own(&self, tensor: &str) -> Own {
        Own {
            lr: if tensor == "in.rate" { 3.0 * self.lr } else { self.lr },
            weight_decay: if tensor == "in.rate" { 0.2 } else { self.weight_decay },
            beta0: if tensor == "in.beta" { 0.9 } else { 0.6 },
            in_scope: tensor != "out",
        }
    }

    fn spec(&self) -> Value {
        let mut value = json!({ "lr": self.lr, "weightDecay": self.weight_decay });
        match self.kind() {
            "sgd" if self.momentum() > 0.0 => {
                value["momentum"] = json!(MOMENTUM);
                value["nesterov"] = json!(self.optimizer == "nesterov");
            }
            "sgd" => {}
            _ => (value["betas"], value["eps"]) = (json!(BETAS), json!(self.eps)),
        }
        if !self.decay.is_empty() {
            value["decay"] = json!(self.decay);
        }
        if !self.modulation.is_empty() {
            value["sage"] = json!({ "beta0": 0.6, "scope": { "include": ["in.*"] } });
            if self.released {
                value["sage"]["form"] = json!("released");
            } else {
                value["sage"]["modulation"] = json!(self.modulation);
                value["sage"]["epsilon"] = json!(self.epsilon);
            }
        }
        if self.observe {
            value["observe"] = if self.modulation.is_empty() {
                json!({ "every": 1, "beta0": 0.6 })
            } else {
                json!({ "every": 1 })
            };
        }
        value
    }

    fn options(&self) -> Value {
        let mut groups = vec![json!({ "include": ["in.rate"], "lr": 3.0 * self.lr, "weightDecay": 0.2 })];
        if self.keeps() {
            groups.push(json!({ "include": ["in.beta"], "beta0": 0.9 }));
        }
        let schedule = match self.released {
            true => json!({ "type": "warmupLinear", "warmupRatio": 0.2 }),
            false => json!({ "type": "linear", "warmupSteps": 3 }),
        };
        json!({ "groups": groups, "schedule": schedule, "totalSteps": TOTAL as u64, "maxGradientNorm": MAX_NORM })
    }

    /// s at step t.
    fn schedule(&self, t: f64) -> f64 {
        match (self.released, self.optimizer) {
            (false, _) => {
                if t < 3.0 {
                    t / 3.0
                } else {
                    (TOTAL - t) / (TOTAL - 3.0)
                }
            }
            (true, "adamw") => warmup_linear(t / TOTAL),
            (true, _) => warmup_linear((t - 1.0) / TOTAL),
        }
    }
}

fn warmup_linear(x: f64) -> f64 {
    if x < 0.2 { x / 0.2 } else { 1.0 - x }
}

/// One element: the parameter and everything kept for it.
#[derive(Clone, Debug, Default)]
struct Element {
    theta: f64,
    m: f64,
    v: f64,
    e: f64,
    way: f64,
}

impl Element {
    fn step(&mut self, case: &Case, own: &Own, t: f64, g: f64) {
        let before = self.theta;
        match case.released {
            true => self.released(case, own, t, g),
            false => self.paper(case, own, t, g),
        }
        self.way += (self.theta - before).abs();
    }

    fn paper(&mut self, case: &Case, own: &Own, t: f64, g: f64) {
        let eta = own.lr * case.schedule(t);
        let [beta1, beta2] = BETAS;
        let mut r = 1.0;
        if case.keeps_of(own) {
            let i = (self.theta * g).abs();
            self.e = own.beta0 * self.e + (1.0 - own.beta0) * i;
            let i_hat = if case.kind() == "sgd" { self.e } else { self.e / (1.0 - own.beta0.powf(t)) };
            let (u, s) = ((i - i_hat).abs(), case.epsilon);
            r = match case.modulation {
                "sage" => (u + s) / (i_hat + s),
                "product" => (i_hat + s) * (u + s),
                "inverse" => (i_hat + s) / (u + s),
                "average" => i_hat + s,
                "reciprocal" => 1.0 / (i_hat + s),
                "variation" => u + s,
                _ => 1.0,
            };
        }
        let decay = match (case.decay, case.kind()) {
            ("", "adamw") => "decoupled",
            ("", _) => "coupled",
            (decay, _) => decay,
        };
        let lambda = own.weight_decay;
        let g = if decay == "coupled" { g + lambda * self.theta } else { g };
        let decayed = match decay {
            "decoupled" => self.theta - eta * lambda * self.theta,
            "modulated" => self.theta - eta * r * lambda * self.theta,
            _ => self.theta,
        };
        let direction = match case.optimizer {
            "sgd" | "momentum" | "nesterov" => {
                self.m = case.momentum() * self.m + g;
                if case.optimizer == "nesterov" { g + MOMENTUM * self.m } else { self.m }
            }
            "adamax" => {
                self.m = beta1 * self.m + (1.0 - beta1) * g;
                self.v = (beta2 * self.v).max(g.abs() + case.eps);
                self.m / (1.0 - beta1.powf(t)) / self.v
            }
            _ => {
                self.m = beta1 * self.m + (1.0 - beta1) * g;
                self.v = beta2 * self.v + (1.0 - beta2) * g * g;
                self.m / (1.0 - beta1.powf(t)) / ((self.v / (1.0 - beta2.powf(t))).sqrt() + case.eps)
            }
        };
        self.theta = decayed - eta * r * direction;
    }

    fn released(&mut self, case: &Case, own: &Own, t: f64, g: f64) {
        let eta = own.lr * case.schedule(t);
        let ([beta1, beta2], eps, lambda) = (BETAS, case.eps, own.weight_decay);
        let i = (self.theta * g).abs();
        if own.in_scope {
            self.e = own.beta0 * self.e + (1.0 - own.beta0) * i;
        }
        let i_hat = if case.optimizer == "adamw" { self.e / (1.0 - own.beta0.powf(t)) } else { self.e };
        let r = if own.in_scope { (i - i_hat).abs() / (i_hat + eps * eps) } else { 1.0 };
        self.m = beta1 * self.m + (1.0 - beta1) * g;
        if case.optimizer == "adamw" {
            self.v = beta2 * self.v + (1.0 - beta2) * g * g;
            let correction = (1.0 - beta2.powf(t)).sqrt() / (1.0 - beta1.powf(t));
            self.theta -= eta * correction * r * self.m / (self.v.sqrt() + eps);
            self.theta -= own.lr * lambda * self.theta;
        } else {
            self.v = (beta2 * self.v).max(g.abs() + eps);
            self.theta -= eta * r * (self.m / (self.v + eps) + lambda * self.theta);
        }
    }
}

const ELEMENTS: usize = 14;

/// Parameters between ±0.5 and ±1.5, but for one that is exactly 0 and one near it.
fn initial(tensor: usize) -> Vec<f64> {
    let mut all: Vec<f64> = numbers::<f64>(tensor as u64, ELEMENTS);
    for value in &mut all {
        *value = (0.5 + value.abs() % 1.0).copysign(*value);
    }
    (all[3], all[4]) = (0.0, -1e-5);
    all
}

/// Gradients of up to 2 with zeros, as they come: not yet divided. One tensor has none in step 5.
fn gradient(step: u64, tensor: usize) -> Option<Vec<f64>> {
    let raw: Vec<f64> =
        numbers::<f64>(100 * step + tensor as u64, ELEMENTS).iter().map(|g| g % 2.0).collect();
    (step != 5 || tensor != 1).then_some(raw)
}

fn follows(case: &Case) {
    let infos: Vec<_> = TENSORS.iter().map(|name| ParameterInfo::new(*name, [ELEMENTS])).collect();
    let made = spec(case.kind(), &case.spec());
    let mut optimizer = Optimizer::<f64>::new(&made, &infos, &options(case.options()), &Owned).unwrap();
    let mut data: Vec<Vec<f64>> = (0..TENSORS.len()).map(initial).collect();
    let element = |theta: &f64| Element { theta: *theta, ..Element::default() };
    let mut expected: Vec<Vec<Element>> =
        data.iter().map(|data| data.iter().map(element).collect()).collect();
    let (mut clipped, mut free) = (false, false);
    for step in 1..=STEPS {
        // Every other step is small, so that some are clipped and some are not.
        let size = if step % 2 == 0 { 0.1 } else { 3.0 } * DIVISOR * LOSS_SCALE;
        let given = |tensor| gradient(step, tensor).map(|g| g.iter().map(|g| g * size).collect::<Vec<f64>>());
        let raw: Vec<Option<Vec<f64>>> = (0..TENSORS.len()).map(given).collect();
        let unscaled = |g: &f64| g / (DIVISOR * LOSS_SCALE);
        let norm = raw.iter().flatten().flatten().map(|g| unscaled(g).powi(2)).sum::<f64>().sqrt();
        let clip = (MAX_NORM / (norm + 1e-6)).min(1.0);
        (clipped, free) = (clipped || clip < 1.0, free || clip == 1.0);
        for ((elements, raw), tensor) in expected.iter_mut().zip(&raw).zip(TENSORS) {
            let own = case.own(tensor);
            for (element, g) in elements.iter_mut().zip(raw.iter().flatten()) {
                element.step(case, &own, step as f64, unscaled(g) * clip);
            }
        }
        let mut arrays: Vec<&mut [f64]> = data.iter_mut().map(Vec::as_mut_slice).collect();
        let raw: Vec<Option<&[f64]>> = raw.iter().map(|raw| raw.as_deref()).collect();
        let inputs = StepInputs { divisor: DIVISOR, loss_scale: Some(LOSS_SCALE), ..StepInputs::default() };
        optimizer.step(&mut arrays, &raw, inputs, &Serial).unwrap();
        compare(case, step, &data, &expected, &optimizer);
    }
    assert!(clipped && free, "{case:?}: the gradients must be clipped in some steps and not in others");
    let far = expected.iter().flatten().filter(|element| element.way > 1e-4 * element.theta.abs()).count();
    assert!(far > 2 * ELEMENTS, "{case:?}: only {far} elements have gone anywhere");
}

fn compare(case: &Case, step: u64, data: &[Vec<f64>], expected: &[Vec<Element>], optimizer: &Optimizer<f64>) {
    let states = optimizer.state();
    for ((name, data), expected) in TENSORS.iter().zip(data).zip(expected) {
        let check = |what: &str, index: usize, found: f64, wanted: f64, scale: f64| {
            let off = (found - wanted).abs();
            assert!(
                off <= TOLERANCE * scale,
                "{case:?} step {step}: {what} of {name}[{index}] is {found:e}, must be {wanted:e}, off by {off:e}"
            );
        };
        for (index, (found, element)) in data.iter().zip(expected).enumerate() {
            check("θ", index, *found, element.theta, element.theta.abs().max(element.way));
        }
        let mut kept = Vec::new();
        for (full, _, values) in &states {
            let Some(state) = full.strip_prefix(&format!("{name}/")) else { continue };
            kept.push(state);
            for (index, (found, element)) in values.to_f64().iter().zip(expected).enumerate() {
                let wanted = match state {
                    "momentum" | "exp_avg" => element.m,
                    "exp_avg_sq" | "exp_inf" => element.v,
                    _ => element.e,
                };
                check(state, index, *found, wanted, wanted.abs() + 1e-6);
            }
        }
        let base: &[&str] = match case.optimizer {
            "sgd" => &[],
            "momentum" | "nesterov" => &["momentum"],
            "adamax" => &["exp_avg", "exp_inf"],
            _ => &["exp_avg", "exp_avg_sq"],
        };
        let sensitivity: &[&str] = if case.keeps_of(&case.own(name)) { &["sensitivity"] } else { &[] };
        assert_eq!(kept, [base, sensitivity].concat(), "{case:?} {name}");
    }
}

const OPTIMIZERS: [&str; 6] = ["sgd", "momentum", "nesterov", "adam", "adamw", "adamax"];
const DECAYS: [&str; 4] = ["", "coupled", "decoupled", "modulated"];

#[test]
fn the_papers_form_with_every_modulation_and_decay() {
    let mut checked = 0;
    for optimizer in OPTIMIZERS {
        for decay in DECAYS {
            for modulation in ["", "none", "sage", "product", "inverse", "average", "reciprocal", "variation"]
            {
                for observe in [false, true] {
                    // An r of up to 1/ε goes with a rate that is as much smaller.
                    let lr = if matches!(modulation, "inverse" | "reciprocal") { 1e-4 } else { 2e-3 };
                    follows(&Case { optimizer, decay, modulation, observe, lr, ..BASE });
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, 6 * 4 * 8 * 2);
}

#[test]
fn the_papers_form_with_the_epsilon_and_eps_it_has_by_default() {
    for optimizer in OPTIMIZERS {
        for decay in DECAYS {
            follows(&Case { optimizer, decay, modulation: "sage", eps: 1e-8, epsilon: 1e-12, ..BASE });
        }
    }
}

#[test]
fn the_released_form() {
    for optimizer in ["adamw", "adamax"] {
        for (observe, eps) in [(false, 1e-6), (true, 1e-2)] {
            let case = Case { optimizer, released: true, modulation: "sage", observe, eps, ..BASE };
            follows(&case);
            follows(&Case { weight_decay: 0.0, ..case });
        }
    }
}
