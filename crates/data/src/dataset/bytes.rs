//! A run of bytes that a dataset reads from: its own memory, or a part of a mapped file.

#![allow(unsafe_code, reason = "the one place where a file is mapped")]

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use memmap2::{Advice, Mmap, UncheckedAdvice};

/// Read-only bytes; clones share them.
#[derive(Debug, Clone)]
pub(crate) enum Bytes {
    Owned(Arc<Vec<u8>>),
    Mapped { file: Arc<Mmap>, range: Range<usize> },
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Owned(Arc::default())
    }
}

impl Bytes {
    /// Maps all of `file`.
    pub(crate) fn map(file: &File) -> std::io::Result<Self> {
        // SAFETY: a mapping is undefined behaviour once the file shrinks or changes under it. Dataset files are only
        // ever replaced by rename, which leaves the mapped inode as it is; the format says so to whoever writes one.
        let file = unsafe { Mmap::map(file)? };
        let range = 0..file.len();
        Ok(Self::Mapped { file: Arc::new(file), range })
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Mapped { file, range } => &file[range.clone()],
        }
    }

    /// Has the kernel read them ahead; that it does not is no fault.
    pub(crate) fn will_need(&self) {
        if let Self::Mapped { file, range } = self {
            let _advised = file.advise_range(Advice::WillNeed, range.start, range.len());
        }
    }

    /// Lets the kernel take their pages back first; they are read again when they are needed again.
    pub(crate) fn read_through(&self) {
        if let Self::Mapped { file, range } = self {
            // SAFETY: a read-only mapping of a file has no contents of its own to lose: its pages come from the file again.
            let _advised =
                unsafe { file.unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len()) };
        }
    }

    /// The part `start .. start + length`, or None where it does not lie inside.
    pub(crate) fn part(&self, start: u64, length: u64) -> Option<Self> {
        let start = usize::try_from(start).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        if end > self.as_slice().len() {
            return None;
        }
        Some(match self {
            Self::Owned(bytes) => Self::Owned(Arc::new(bytes[start..end].to_vec())),
            Self::Mapped { file, range } => {
                Self::Mapped { file: file.clone(), range: range.start + start..range.start + end }
            }
        })
    }
}
