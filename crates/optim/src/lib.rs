//! Optimizer specs, groups, scope, schedules and named state over the kernels.
