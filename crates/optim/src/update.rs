//! The one pass of a step: every parameter cut into blocks, every block run by its group's rule.

use crate::average::Averager;
use crate::executor::Executor;
use crate::precision::Keeping;
use crate::report::{ProbeBuffers, Seen};
use crate::rule::Rule;
use crate::share::share;
use crate::tile::{Arrays, Buffers, TILE};
use sagetrain_kernels::{BLOCK, Isa, Noise, Stored};

/// One block of one parameter.
pub(crate) struct Piece<'a, S: Stored> {
    pub parameter: usize,
    arrays: Arrays<'a, S>,
    /// Where it begins in the parameter.
    start: usize,
    how: How<'a, S>,
    /// Boxed: its statistics are kilobytes, and mostly it is not there.
    watch: Option<Box<Watch<'a>>>,
}

/// A block's part of a report that is due.
struct Watch<'a> {
    positions: &'a [usize],
    seen: Seen,
}

/// What a step does to all blocks of one parameter.
pub(crate) struct How<'a, S: Stored> {
    /// The rule, where there is a gradient.
    pub rule: Option<&'a Rule<S::Compute>>,
    /// What becomes of the average, where one is kept.
    pub averager: Option<Averager<S::Compute>>,
    pub keeping: Keeping,
    /// Of stochastic rounding.
    pub noise: Option<Noise>,
}

impl<S: Stored> Clone for How<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Stored> Copy for How<'_, S> {}

/// Cuts a parameter's arrays into blocks. `positions` are those to sample where a report is due.
pub(crate) fn cut<'a, S: Stored>(
    index: usize,
    mut arrays: Arrays<'a, S>,
    how: How<'a, S>,
    positions: Option<&'a [usize]>,
    pieces: &mut Vec<Piece<'a, S>>,
) {
    let positions = positions.filter(|_| how.rule.is_some_and(Rule::senses));
    let mut start = 0;
    while !arrays.parameter.is_empty() {
        let watch = positions.map(|positions| Box::new(Watch { positions, seen: Seen::default() }));
        let block = arrays.head(BLOCK);
        let length = block.parameter.len();
        pieces.push(Piece { parameter: index, arrays: block, start, how, watch });
        start += length;
    }
}

/// Runs all pieces.
pub(crate) fn run<S: Stored>(isa: Isa, pieces: &mut [Piece<'_, S>], executor: &dyn Executor) {
    share(executor, pieces, |piece| piece.arrays.parameter.len(), &|piece| piece.run(isa));
}

impl<S: Stored> Piece<'_, S> {
    fn run(&mut self, isa: Isa) {
        let How { rule, averager, keeping, .. } = self.how;
        if self.watch.is_some() {
            return self.run_tiles(isa);
        }
        let Some(block) = self.arrays.direct() else { return self.run_tiles(isa) };
        if let Some(rule) = rule {
            rule.apply(isa, block);
        }
        if let (Some(averager), Keeping::Whole) = (averager, keeping)
            && let Some(parameter) = S::as_compute(self.arrays.parameter)
        {
            averager.apply(isa, parameter, self.arrays.states.average);
        }
    }

    /// The same in parts that stay in the first-level cache between being opened, looked at, stepped and closed.
    fn run_tiles(&mut self, isa: Isa) {
        let mut buffers = Buffers::new();
        let mut rest = self.arrays.reborrow();
        let mut start = self.start;
        while !rest.parameter.is_empty() {
            let tile = rest.head(TILE);
            let length = tile.parameter.len();
            run_tile(isa, self.how, tile, &mut buffers, start, self.watch.as_deref_mut());
            start += length;
        }
    }

    /// What was seen, where a report is due.
    pub fn seen(self) -> Option<Seen> {
        self.watch.map(|watch| watch.seen)
    }
}

fn run_tile<S: Stored>(
    isa: Isa,
    how: How<'_, S>,
    mut tile: Arrays<'_, S>,
    buffers: &mut Buffers<S::Compute>,
    start: usize,
    watch: Option<&mut Watch<'_>>,
) {
    let How { rule, averager, keeping, noise } = how;
    tile.open(isa, keeping, buffers);
    if let Some(rule) = rule {
        let block = tile.block(keeping, buffers);
        if let Some(watch) = watch {
            let (mut probes, length) = (ProbeBuffers::new(), block.parameter.len());
            rule.look(isa, &block, probes.probe(length));
            watch.seen.merge(probes.seen(start, length, watch.positions));
        }
        rule.apply(isa, block);
    }
    if let Some(averager) = averager {
        tile.average(isa, averager, keeping, buffers);
    }
    if rule.is_some() {
        tile.close(isa, keeping, buffers, noise, start as u64);
    }
}
