//! Compiled kernels, kept from process to process: one file each, never rewritten in place.

use crate::cuda::text::hexadecimal;
use sha2::{Digest, Sha256};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a file begins with; the SHA-256 of the kernel follows, then the kernel.
const MAGIC: &[u8] = b"sagetrain cubin 1\n";
const HASH: usize = 32;

/// A folder of compiled kernels. Whatever goes wrong with it costs a compilation and no more.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The user's: `$XDG_CACHE_HOME/sagetrain/cubin`, or `~/.cache/sagetrain/cubin`. Without either nothing is kept.
    pub fn of_user() -> Self {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        Self { folder: base.map(|base| base.join("sagetrain").join("cubin")) }
    }

    /// `folder`, made at the first use.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// None: every process compiles for itself.
    pub fn none() -> Self {
        Self { folder: None }
    }

    /// The kernel of this digest for `sm_<architecture>`; nothing where there is none, or one that was cut short or altered.
    pub fn get(&self, digest: &str, architecture: u32) -> Option<Vec<u8>> {
        let file = fs::read(self.path(digest, architecture)?).ok()?;
        let (hash, kernel) = file.strip_prefix(MAGIC)?.split_at_checked(HASH)?;
        (Sha256::digest(kernel)[..] == *hash).then(|| kernel.to_vec())
    }

    /// Keeps a kernel, and says whether that worked.
    pub fn put(&self, digest: &str, architecture: u32, kernel: &[u8]) -> bool {
        let contents = [MAGIC, &Sha256::digest(kernel), kernel].concat();
        self.path(digest, architecture).is_some_and(|path| replace(&path, &contents).is_ok())
    }

    /// Where a kernel is kept.
    pub fn path(&self, digest: &str, architecture: u32) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{digest}-sm_{architecture}.cubin")))
    }
}

/// Writes a file under a name of its own and renames it, so that nobody reads half of it.
fn replace(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Two containers may share the folder and a process number: the time tells them apart.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let nonce = [now.as_nanos() as u64, process::id().into(), WRITTEN.fetch_add(1, Ordering::Relaxed)];
    let nonce = hexadecimal(bytemuck::cast_slice(&nonce));
    let temporary = folder.join(format!("{nonce}.tmp"));
    let done = fs::write(&temporary, contents).and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        // Nothing can be done about one that stays behind.
        let _ = fs::remove_file(&temporary);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_and_what_was_damaged_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path().join("a/b"));
        assert_eq!(cache.get("d", 90), None);
        assert!(cache.put("d", 90, b"kernel"));
        assert_eq!(cache.get("d", 90).as_deref(), Some(&b"kernel"[..]));
        assert_eq!(cache.get("d", 80), None);
        let path = cache.path("d", 90).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(cache.get("d", 90), None, "{length} bytes of {}", whole.len());
        }
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            fs::write(&path, altered).unwrap();
            assert_eq!(cache.get("d", 90), None, "byte {at}");
        }
        assert!(cache.put("d", 90, b"kernel") && cache.get("d", 90).is_some());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = Cache::in_folder(file.path().join("below a file"));
        assert!(!cache.put("d", 90, b"kernel"));
        assert_eq!(cache.get("d", 90), None);
        assert!(!Cache::none().put("d", 90, b"kernel"));
    }
}
