//! Parameters narrower than the arithmetic: how a tile is opened to be computed with, and closed again.

use crate::isa::Isa;
use crate::noise::Noise;
use crate::stored::{Conversion, Stored};

/// Widens `stored`, exactly.
///
/// # Panics
/// When the slices differ in length; so do all functions of this module.
pub fn widen<S: Stored>(isa: Isa, stored: &[S], to: &mut [S::Compute]) {
    assert_eq!(stored.len(), to.len());
    S::convert(isa, Conversion::Widen { stored, to });
}

/// Rounds to nearest, ties to even.
pub fn narrow<S: Stored>(isa: Isa, from: &[S::Compute], stored: &mut [S]) {
    assert_eq!(from.len(), stored.len());
    S::convert(isa, Conversion::Narrow { from, stored });
}

/// Rounds to either neighbour, at the odds of the distances, so that updates smaller than half a unit add up in the mean. `start` is
/// the first element's position in its parameter, a multiple of 8.
pub fn narrow_stochastically<S: Stored>(
    isa: Isa,
    from: &[S::Compute],
    noise: Noise,
    start: u64,
    stored: &mut [S],
) {
    assert_eq!(from.len(), stored.len());
    S::convert(isa, Conversion::NarrowBy { from, noise, start, stored });
}

/// Makes `master` what the parameters stand for: itself where it rounds to the parameter, else the parameter, which somebody has
/// then written to since. Zeros make a master that has not begun. Close it with [`narrow`].
pub fn open_master<S: Stored>(isa: Isa, stored: &[S], master: &mut [S::Compute]) {
    assert_eq!(stored.len(), master.len());
    S::convert(isa, Conversion::OpenMaster { stored, master });
}

/// Parameter plus compensation (Kahan 1965), where that rounds to the parameter; else the parameter, which somebody has then written
/// to since. What is written in the size of what was there, or larger, keeps the compensation, at most half a unit in its last place:
/// clear it beside such a write to have none.
pub fn open_kahan<S: Stored>(isa: Isa, stored: &[S], compensation: &[S::Brief], to: &mut [S::Compute]) {
    assert!(stored.len() == to.len() && compensation.len() == to.len());
    S::convert(isa, Conversion::OpenKahan { stored, compensation, to });
}

/// Splits into the nearest parameter and what that leaves, rounded so that [`open_kahan`] knows both to belong together.
pub fn close_kahan<S: Stored>(
    isa: Isa,
    from: &[S::Compute],
    stored: &mut [S],
    compensation: &mut [S::Brief],
) {
    assert!(stored.len() == from.len() && compensation.len() == from.len());
    S::convert(isa, Conversion::CloseKahan { from, stored, compensation });
}
