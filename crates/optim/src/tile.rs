//! A block taken in tiles that stay in the first-level cache: opened to the type computed in, looked at, stepped, closed again.

use crate::arena::States;
use crate::average::Averager;
use crate::precision::Keeping;
use sagetrain_kernels::{
    Block, Float, Isa, Noise, Stored, close_kahan, narrow, narrow_stochastically, open_kahan, open_master,
    widen,
};
use std::mem::take;

/// Elements a tile: a multiple of 8, as the noise wants.
pub(crate) const TILE: usize = 512;

/// The arrays of a stretch of one parameter, equally long; what is not kept is empty, and so is the gradient of a parameter without.
pub(crate) struct Arrays<'a, S: Stored> {
    pub parameter: &'a mut [S],
    pub gradient: &'a [S],
    pub states: States<'a, S>,
}

/// Room for what a tile is opened to.
pub(crate) struct Buffers<F> {
    theta: [F; TILE],
    gradient: [F; TILE],
    sensitivity: [F; TILE],
}

impl<F: Float> Buffers<F> {
    pub fn new() -> Self {
        Self { theta: [F::ZERO; TILE], gradient: [F::ZERO; TILE], sensitivity: [F::ZERO; TILE] }
    }
}

impl<'a, S: Stored> Arrays<'a, S> {
    /// Cuts up to `length` elements off the front.
    pub fn head(&mut self, length: usize) -> Self {
        let states = &mut self.states;
        let (gradient, rest) = self.gradient.split_at(self.gradient.len().min(length));
        self.gradient = rest;
        Self {
            parameter: head(&mut self.parameter, length),
            gradient,
            states: States {
                first: head(&mut states.first, length),
                second: head(&mut states.second, length),
                sensitivity: head(&mut states.sensitivity, length),
                brief_sensitivity: head(&mut states.brief_sensitivity, length),
                master: head(&mut states.master, length),
                compensation: head(&mut states.compensation, length),
                average: head(&mut states.average, length),
            },
        }
    }

    /// The same arrays for a while.
    pub fn reborrow(&mut self) -> Arrays<'_, S> {
        let states = &mut self.states;
        Arrays {
            parameter: self.parameter,
            gradient: self.gradient,
            states: States {
                first: states.first,
                second: states.second,
                sensitivity: states.sensitivity,
                brief_sensitivity: states.brief_sensitivity,
                master: states.master,
                compensation: states.compensation,
                average: states.average,
            },
        }
    }

    /// The whole as a block, where all of it is in the type computed in already.
    pub fn direct(&mut self) -> Option<Block<'_, S::Compute>> {
        let States { first, second, sensitivity, brief_sensitivity, .. } = &mut self.states;
        if !brief_sensitivity.is_empty() {
            return None;
        }
        let (parameter, gradient) = (S::as_compute_mut(self.parameter)?, S::as_compute(self.gradient)?);
        Some(Block { parameter, gradient, first, second, sensitivity })
    }

    /// Opens a tile.
    pub fn open(&mut self, isa: Isa, keeping: Keeping, buffers: &mut Buffers<S::Compute>) {
        let States { master, compensation, brief_sensitivity, .. } = &mut self.states;
        let theta = &mut buffers.theta[..self.parameter.len()];
        match keeping {
            Keeping::Whole => {}
            Keeping::Master => open_master(isa, self.parameter, master),
            Keeping::Stochastic(_) => widen(isa, self.parameter, theta),
            Keeping::Kahan => open_kahan(isa, self.parameter, compensation, theta),
        }
        if S::NARROW {
            widen(isa, self.gradient, &mut buffers.gradient[..self.gradient.len()]);
        }
        widen(isa, brief_sensitivity, &mut buffers.sensitivity[..brief_sensitivity.len()]);
    }

    /// The opened tile as a block.
    pub fn block<'b>(
        &'b mut self,
        keeping: Keeping,
        buffers: &'b mut Buffers<S::Compute>,
    ) -> Block<'b, S::Compute> {
        let (length, senses) = (self.parameter.len(), !self.states.brief_sensitivity.is_empty());
        let States { first, second, sensitivity, master, .. } = &mut self.states;
        Block {
            gradient: S::as_compute(self.gradient).unwrap_or(&buffers.gradient[..self.gradient.len()]),
            parameter: theta(self.parameter, master, keeping, &mut buffers.theta[..length]),
            first,
            second,
            sensitivity: if senses { &mut buffers.sensitivity[..length] } else { sensitivity },
        }
    }

    /// Lets the average follow the opened tile.
    pub fn average(
        &mut self,
        isa: Isa,
        averager: Averager<S::Compute>,
        keeping: Keeping,
        buffers: &mut Buffers<S::Compute>,
    ) {
        let length = self.parameter.len();
        let States { master, average, .. } = &mut self.states;
        averager.apply(isa, theta(self.parameter, master, keeping, &mut buffers.theta[..length]), average);
    }

    /// Closes a tile that a step was taken on. `noise` rounds it where that is asked for, `start` is its place in the parameter.
    pub fn close(
        &mut self,
        isa: Isa,
        keeping: Keeping,
        buffers: &Buffers<S::Compute>,
        noise: Option<Noise>,
        start: u64,
    ) {
        let States { master, compensation, brief_sensitivity, .. } = &mut self.states;
        let theta = &buffers.theta[..self.parameter.len()];
        match (keeping, noise) {
            (Keeping::Master, _) => narrow(isa, master, self.parameter),
            (Keeping::Kahan, _) => close_kahan(isa, theta, self.parameter, compensation),
            (_, Some(noise)) => narrow_stochastically(isa, theta, noise, start, self.parameter),
            _ => {}
        }
        narrow(isa, &buffers.sensitivity[..brief_sensitivity.len()], brief_sensitivity);
    }
}

/// Where the opened parameter lies.
fn theta<'b, S: Stored>(
    parameter: &'b mut [S],
    master: &'b mut [S::Compute],
    keeping: Keeping,
    buffer: &'b mut [S::Compute],
) -> &'b mut [S::Compute] {
    match keeping {
        Keeping::Master => master,
        _ => S::as_compute_mut(parameter).unwrap_or(buffer),
    }
}

/// Up to `length` elements from the front of `rest`, nothing where there is nothing.
fn head<'a, T>(rest: &mut &'a mut [T], length: usize) -> &'a mut [T] {
    let length = rest.len().min(length);
    let (head, after) = take(rest).split_at_mut(length);
    *rest = after;
    head
}
