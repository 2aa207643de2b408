//! The text, and a program made of it.

use sha2::{Digest, Sha256};

/// Every header of the text: name and contents.
pub const HEADERS: [(&str, &str); 19] = [
    ("float.cuh", include_str!("text/float.cuh")),
    ("layout.cuh", include_str!("text/layout.cuh")),
    ("index.cuh", include_str!("text/index.cuh")),
    ("stored.cuh", include_str!("text/stored.cuh")),
    ("philox.cuh", include_str!("text/philox.cuh")),
    ("noise.cuh", include_str!("text/noise.cuh")),
    ("precision.cuh", include_str!("text/precision.cuh")),
    ("access.cuh", include_str!("text/access.cuh")),
    ("memory.cuh", include_str!("text/memory.cuh")),
    ("moment.cuh", include_str!("text/moment.cuh")),
    ("sage.cuh", include_str!("text/sage.cuh")),
    ("decay.cuh", include_str!("text/decay.cuh")),
    ("pass.cuh", include_str!("text/pass.cuh")),
    ("sgd.cuh", include_str!("text/sgd.cuh")),
    ("adam.cuh", include_str!("text/adam.cuh")),
    ("adamax.cuh", include_str!("text/adamax.cuh")),
    ("released.cuh", include_str!("text/released.cuh")),
    ("norm.cuh", include_str!("text/norm.cuh")),
    ("mask.cuh", include_str!("text/mask.cuh")),
];

/// One kernel, to be compiled by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    /// The kernel's name.
    pub name: String,
    /// The text that includes the headers and makes the kernel.
    pub source: String,
}

impl Program {
    /// A kernel that `text` makes with the help of `headers`.
    pub(crate) fn new(name: String, headers: &[&str], text: &str) -> Self {
        let includes: String = headers.iter().map(|header| format!("#include \"{header}\"\n")).collect();
        Self { name, source: includes + text + "\n" }
    }

    /// SHA-256, in hexadecimal, over all that the compiled kernel depends on but the architecture.
    pub fn digest(&self, options: &[&str], compiler: &str) -> String {
        let mut hash = Sha256::new();
        let headers = HEADERS.iter().flat_map(|(name, text)| [*name, *text]);
        let parts = headers.chain([self.source.as_str(), compiler]).chain(options.iter().copied());
        for part in parts {
            // With the length before it, no part can pass for the end of another.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hexadecimal(&hash.finalize())
    }
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
