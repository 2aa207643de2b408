//! The one pass of a step: every parameter cut into blocks, every block run by its group's rule.

use crate::arena::States;
use crate::average::Averager;
use crate::executor::Executor;
use crate::report::{PROBED, ProbeBuffers, Seen};
use crate::rule::Rule;
use crate::share::share;
use sagetrain_kernels::{BLOCK, Block, Float, Isa};
use std::mem::take;

/// One block of one parameter, with its rule, if it has a gradient, and its average, if one is kept.
pub(crate) struct Piece<'a, F> {
    pub parameter: usize,
    rule: Option<&'a Rule<F>>,
    block: Block<'a, F>,
    average: Option<(Averager<F>, &'a mut [F])>,
    /// Boxed: its statistics are kilobytes, and mostly it is not there.
    watch: Option<Box<Watch<'a>>>,
}

/// A block's part of a report that is due.
struct Watch<'a> {
    start: usize,
    positions: &'a [usize],
    seen: Seen,
}

/// The arrays of one parameter.
pub(crate) struct Tensor<'a, F> {
    pub parameter: &'a mut [F],
    /// The rule and the gradient, where there is one.
    pub update: Option<(&'a Rule<F>, &'a [F])>,
    pub states: States<'a, F>,
    pub averager: Option<Averager<F>>,
}

impl<'a, F: Float> Tensor<'a, F> {
    /// Cuts the arrays into blocks. `positions` are those to sample where a report is due.
    pub fn cut(mut self, index: usize, positions: Option<&'a [usize]>, pieces: &mut Vec<Piece<'a, F>>) {
        let rule = self.update.map(|(rule, _)| rule);
        let positions = positions.filter(|_| rule.is_some_and(Rule::senses));
        let mut start = 0;
        while !self.parameter.is_empty() {
            let watch =
                positions.map(|positions| Box::new(Watch { start, positions, seen: Seen::default() }));
            let block = self.head();
            start += block.parameter.len();
            let average = self.averager.map(|averager| (averager, head(&mut self.states.average)));
            pieces.push(Piece { parameter: index, rule, block, average, watch });
        }
    }

    /// The next block.
    fn head(&mut self) -> Block<'a, F> {
        let States { first, second, sensitivity, .. } = &mut self.states;
        let gradient = self.update.as_mut().map(|(_, gradient)| {
            let (head, rest) = gradient.split_at(gradient.len().min(BLOCK));
            *gradient = rest;
            head
        });
        Block {
            parameter: head(&mut self.parameter),
            gradient: gradient.unwrap_or_default(),
            first: head(first),
            second: head(second),
            sensitivity: head(sensitivity),
        }
    }
}

/// Up to a block from the front of `rest`, nothing where there is nothing.
fn head<'a, F>(rest: &mut &'a mut [F]) -> &'a mut [F] {
    let length = rest.len().min(BLOCK);
    let (head, after) = take(rest).split_at_mut(length);
    *rest = after;
    head
}

/// Runs all pieces.
pub(crate) fn run<F: Float>(isa: Isa, pieces: &mut [Piece<'_, F>], executor: &dyn Executor) {
    share(executor, pieces, |piece| piece.block.parameter.len(), &|piece| piece.run(isa));
}

impl<F: Float> Piece<'_, F> {
    fn run(&mut self, isa: Isa) {
        match (self.rule, &mut self.watch) {
            (None, _) => {}
            (Some(rule), None) => rule.apply(isa, whole(&mut self.block)),
            (Some(rule), Some(watch)) => watch.run(isa, rule, &mut self.block),
        }
        if let Some((averager, average)) = &mut self.average {
            averager.apply(isa, self.block.parameter, average);
        }
    }

    /// What was seen, where a report is due.
    pub fn seen(self) -> Option<Seen> {
        self.watch.map(|watch| watch.seen)
    }
}

impl Watch<'_> {
    /// The same pass in parts that stay in the first-level cache between the look and the step.
    fn run<F: Float>(&mut self, isa: Isa, rule: &Rule<F>, block: &mut Block<'_, F>) {
        let mut buffers = ProbeBuffers::new();
        for from in (0..block.parameter.len()).step_by(PROBED) {
            let part = part(block, from);
            let length = part.parameter.len();
            rule.look(isa, &part, buffers.probe(length));
            rule.apply(isa, part);
            self.seen.merge(buffers.seen(self.start + from, length, self.positions));
        }
    }
}

fn whole<'a, F>(block: &'a mut Block<'_, F>) -> Block<'a, F> {
    Block {
        parameter: block.parameter,
        gradient: block.gradient,
        first: block.first,
        second: block.second,
        sensitivity: block.sensitivity,
    }
}

/// Up to [`PROBED`] elements from `from` on.
fn part<'a, F>(block: &'a mut Block<'_, F>, from: usize) -> Block<'a, F> {
    let to = (from + PROBED).min(block.parameter.len());
    Block {
        gradient: &block.gradient[from..to],
        first: block.first.get_mut(from..to).unwrap_or_default(),
        second: block.second.get_mut(from..to).unwrap_or_default(),
        sensitivity: block.sensitivity.get_mut(from..to).unwrap_or_default(),
        parameter: &mut block.parameter[from..to],
    }
}
