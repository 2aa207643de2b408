//! Which vector instructions a loop is compiled for, chosen at run time. The one file with `unsafe` in it.
#![allow(
    unsafe_code,
    reason = "calling a #[target_feature] function is unsafe; Isa proves the feature is there"
)]

use std::fmt;

/// An instruction set this machine has. It cannot be made otherwise than by asking the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The widest this machine has.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx512() {
                return Self(Level::Avx512);
            }
            if has_avx2() {
                return Self(Level::Avx2);
            }
        }
        Self::baseline()
    }

    /// What every machine of the compilation target has. Where that is without a fused multiply-add (plain x86-64), each
    /// `mul_add` is a library call: same bits, slow.
    pub fn baseline() -> Self {
        Self(Level::Baseline)
    }

    /// All this machine has, narrowest first.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "only x86-64 has more than one"))]
        let mut levels = vec![Self::baseline()];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(has_avx2().then_some(Self(Level::Avx2)));
            levels.extend(has_avx512().then_some(Self(Level::Avx512)));
        }
        levels
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Level::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
        })
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2() && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl")
}

/// A loop to be compiled once an instruction set. `run` must be `#[inline(always)]`, or it stays baseline code.
pub(crate) trait Loop {
    type Output;
    fn run(self) -> Self::Output;
}

/// Runs `body` compiled for `isa`.
#[inline]
pub(crate) fn run<L: Loop>(isa: Isa, body: L) -> L::Output {
    match isa.0 {
        Level::Baseline => body.run(),
        // SAFETY: an Isa of this level exists only where the processor reported avx2 and fma.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2(body) },
        // SAFETY: an Isa of this level exists only where the processor reported these features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512(body) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<L: Loop>(body: L) -> L::Output {
    body.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512vl")]
fn avx512<L: Loop>(body: L) -> L::Output {
    body.run()
}
