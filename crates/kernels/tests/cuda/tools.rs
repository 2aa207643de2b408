//! What a machine may lack: a compiler, NVRTC, a GPU.

use sagetrain_kernels::cuda::{CudaError, Driver, Folders, Kernels, Nvrtc};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Says why a test does not run. Where everything has to be tested, that is a failure.
pub fn skip(reason: &str) {
    assert!(env::var_os("CI").is_none(), "{reason}");
    eprintln!("skipped: {reason}");
}

/// The folder with NVRTC that the set-up of the workspace has fetched.
pub fn nvrtc_folder() -> Option<PathBuf> {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.libtorch/run/nvidia");
    let folders = fs::read_dir(packages).ok()?.flatten().map(|entry| entry.path().join("lib"));
    folders.filter(|folder| folder.join("libnvrtc.so.13").exists()).min()
}

pub fn nvrtc() -> Option<Nvrtc> {
    match Nvrtc::open(nvrtc_folder().as_deref()) {
        Ok(nvrtc) => Some(nvrtc),
        Err(error @ CudaError::NoNvrtc { .. }) => {
            skip(&error.to_string());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Kernels on the first GPU; most machines have none, which is no failure anywhere.
pub fn kernels(folders: Folders) -> Option<Kernels> {
    if let Err(error) = Driver::open() {
        eprintln!("skipped: {error}");
        return None;
    }
    nvrtc()?;
    let kernels = Kernels::open(folders).unwrap();
    match kernels.driver().use_device(0) {
        Ok(()) => Some(kernels),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}
