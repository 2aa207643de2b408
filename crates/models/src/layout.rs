//! Declares a model's parameters in order: the one place where names, shapes, roles and initial values meet.

use crate::init::Initial;
use crate::parameters::{Declaration, Role};

/// Collects declarations.
#[derive(Debug, Default)]
pub struct Layout {
    declarations: Vec<Declaration>,
}

impl Layout {
    /// What was declared, in order.
    pub fn finish(self) -> Vec<Declaration> {
        self.declarations
    }

    /// One parameter.
    pub fn declare(&mut self, name: String, shape: &[usize], role: Role, initial: Initial) {
        let shape = shape.iter().map(|&size| size as i64).collect();
        self.declarations.push(Declaration { name, shape, role, initial });
    }

    /// `<name>.weight` `[outputs, inputs]`, Xavier uniform, and `<name>.bias` `[outputs]`, zero.
    pub fn linear(&mut self, name: &str, [inputs, outputs]: [usize; 2], role: Role, gain: f64) {
        self.declare(format!("{name}.weight"), &[outputs, inputs], role, Initial::XavierUniform { gain });
        self.declare(format!("{name}.bias"), &[outputs], role, Initial::Zeros);
    }

    /// The same, its weight drawn from N(0, deviation²).
    pub fn normal_linear(&mut self, name: &str, [inputs, outputs]: [usize; 2], role: Role, deviation: f64) {
        let initial = Initial::Normal { deviation, zero_row: None };
        self.declare(format!("{name}.weight"), &[outputs, inputs], role, initial);
        self.declare(format!("{name}.bias"), &[outputs], role, Initial::Zeros);
    }

    /// `<name>.weight`, one, and `<name>.bias`, zero, both `[width]`.
    pub fn norm(&mut self, name: &str, width: usize) {
        self.declare(format!("{name}.weight"), &[width], Role::Norm, Initial::Ones);
        self.declare(format!("{name}.bias"), &[width], Role::Norm, Initial::Zeros);
    }
}
