//! Tercom's greedy search for shifts: a sequence of words that the reference has elsewhere is moved there, as one edit.
//! Source: `sacrebleu/metrics/lib_ter.py`.

use super::edit_distance::{Distances, Edit};

/// Words in the longest sequence that is moved.
const LONGEST_SHIFT: usize = 10;
/// Words over which one is moved.
const FARTHEST_SHIFT: usize = 50;
/// Shifts tried for one sentence, all rounds together.
const MOST_CANDIDATES: usize = 1000;

/// Edits between the two, when shifts are made as long as they save more than they cost nothing.
pub(super) fn edits(mut hypothesis: Vec<u32>, reference: &[u32]) -> usize {
    if reference.is_empty() {
        return hypothesis.len();
    }
    let (mut shifts, mut candidates) = (0, 0);
    loop {
        let distances = Distances::new(&hypothesis, reference);
        let best = best_shift(&hypothesis, reference, &distances, &mut candidates);
        match best.filter(|best| candidates < MOST_CANDIDATES && best.gain > 0) {
            Some(best) => hypothesis = shifted(&hypothesis, best.start, best.length, best.target),
            None => return shifts + distances.total() as usize,
        }
        shifts += 1;
    }
}

/// `length` words from `start` on, moved before the word at `target`.
struct Shift {
    gain: i64,
    start: usize,
    length: usize,
    target: usize,
}

impl Shift {
    /// Tercom's ranking: the largest gain, then the longest sequence, then the first, then the nearest to the beginning.
    fn beats(&self, other: &Shift) -> bool {
        let rank = |shift: &Shift| {
            let reversed = std::cmp::Reverse;
            (shift.gain, shift.length, reversed(shift.start), reversed(shift.target))
        };
        rank(self) > rank(other)
    }
}

fn best_shift(
    hypothesis: &[u32],
    reference: &[u32],
    distances: &Distances<'_>,
    candidates: &mut usize,
) -> Option<Shift> {
    let alignment = Alignment::of(&distances.edits());
    let mut scratch = distances.scratch();
    let mut best: Option<Shift> = None;
    for (start, at, length) in shared_sequences(hypothesis, reference) {
        if !alignment.may_move(start, at, length) {
            continue;
        }
        for target in alignment.targets(at, length) {
            let moved = shifted(hypothesis, start, length, target);
            let distance = scratch.retry(distances, &moved, start.min(target));
            let gain = i64::from(distances.total()) - i64::from(distance);
            let shift = Shift { gain, start, length, target };
            *candidates += 1;
            if best.as_ref().is_none_or(|best| shift.beats(best)) {
                best = Some(shift);
            }
        }
        if *candidates >= MOST_CANDIDATES {
            break;
        }
    }
    best
}

/// (start in `hypothesis`, start in `reference`, length) of every sequence that both have, the shorter ones within longer ones too.
fn shared_sequences<'a>(
    hypothesis: &'a [u32],
    reference: &'a [u32],
) -> impl Iterator<Item = (usize, usize, usize)> + 'a {
    let starts = (0..hypothesis.len()).flat_map(|start| {
        let nearest = start.saturating_sub(FARTHEST_SHIFT);
        (nearest..reference.len().min(start + FARTHEST_SHIFT + 1)).map(move |at| (start, at))
    });
    starts.flat_map(|(start, at)| {
        let words = hypothesis[start..].iter().zip(&reference[at..]);
        let longest = words.take(LONGEST_SHIFT).take_while(|(left, right)| left == right).count();
        (1..=longest).map(move |length| (start, at, length))
    })
}

/// Which words of the hypothesis stand for which of the reference.
struct Alignment {
    /// For each word of the reference the place in the hypothesis after the word that stands for it.
    after: Vec<usize>,
    reference_wrong: Vec<bool>,
    hypothesis_wrong: Vec<bool>,
}

impl Alignment {
    fn of(edits: &[Edit]) -> Self {
        let (mut after, mut reference_wrong, mut hypothesis_wrong) = (Vec::new(), Vec::new(), Vec::new());
        for &edit in edits {
            let wrong = edit != Edit::Keep;
            if edit != Edit::Insert {
                hypothesis_wrong.push(wrong);
            }
            if edit != Edit::Delete {
                after.push(hypothesis_wrong.len());
                reference_wrong.push(wrong);
            }
        }
        Alignment { after, reference_wrong, hypothesis_wrong }
    }

    /// Whether both sides have an error there, and the words would not stay where they are.
    fn may_move(&self, start: usize, at: usize, length: usize) -> bool {
        let wrong = |flags: &[bool], from: usize| flags[from..][..length].contains(&true);
        wrong(&self.hypothesis_wrong, start)
            && wrong(&self.reference_wrong, at)
            && !(start + 1..=start + length).contains(&self.after[at])
    }

    /// Where in the hypothesis a sequence that begins at `at` in the reference may go.
    fn targets(&self, at: usize, length: usize) -> Vec<usize> {
        let before = if at == 0 { 0 } else { self.after[at - 1] };
        let mut targets = vec![before];
        targets.extend_from_slice(&self.after[at..at + length]);
        targets.dedup();
        targets
    }
}

/// The words with `length` of them from `start` on moved before the one at `target`; where that is among them, as far on.
fn shifted(words: &[u32], start: usize, length: usize, target: usize) -> Vec<u32> {
    let end = start + length;
    let clamp = |index: usize| index.min(words.len());
    let parts = if target < start {
        [&words[..target], &words[start..end], &words[target..start], &words[end..]]
    } else {
        let target = if target > end { target } else { clamp(length + target) };
        [&words[..start], &words[end..target], &words[start..end], &words[target..]]
    };
    parts.concat()
}
