//! Compiles `cpp/` against the libtorch that torch-sys found, and tells dependents where it lies.
//!
//! A direct dependent's build script reads
//! - `DEP_SAGETRAIN_TORCH_RUN_LIB`: the folder whose `libtorch_cpu.so` is to be loaded at run time. Its tests find it with
//!   `cargo:rustc-link-arg=-Wl,--disable-new-dtags,-rpath,<folder>`;
//! - `DEP_SAGETRAIN_TORCH_INCLUDE`: the folder of `sagetrain_torch.h`.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=cpp");
    println!("cargo:rerun-if-changed=include");
    let link = PathBuf::from(env::var("DEP_TCH_LIBTORCH_LIB")?);
    compile(&link)?;
    println!("cargo:rustc-link-lib=gomp");
    let run = run_folder(&link);
    println!("cargo:rustc-link-arg=-Wl,--disable-new-dtags,-rpath,{}", run.display());
    println!("cargo:run_lib={}", run.display());
    println!("cargo:include={}/include", env::var("CARGO_MANIFEST_DIR")?);
    Ok(())
}

/// `<link>/../run/torch/lib` of the two-folder layout, or the link folder itself for a plain libtorch.
fn run_folder(link: &Path) -> PathBuf {
    link.join("../../run/torch/lib").canonicalize().unwrap_or_else(|_| link.to_path_buf())
}

fn compile(link: &Path) -> io::Result<()> {
    let include = link.join("../include");
    let mut build = cc::Build::new();
    build.cpp(true).pic(true).std("c++20").opt_level(3).warnings(false);
    build.include("include").include("cpp");
    // System includes: libtorch's own warnings are not ours.
    for folder in [include.clone(), include.join("torch/csrc/api/include")] {
        build.flag("-isystem").flag(folder.display().to_string());
    }
    // -fopenmp, or the loops run serially in silence. Products may be fused into sums, which changes no order; -ffast-math would.
    build
        .flag("-fopenmp")
        .flag("-ffp-contract=fast")
        .flag("-fvisibility=hidden")
        .flag("-Wall")
        .flag("-Wextra");
    // GCC 12 takes the undefined vectors in its own intrinsics for uninitialised variables.
    build.flag("-Wno-maybe-uninitialized");
    build.define("_GLIBCXX_USE_CXX11_ABI", "1");
    build.files(sources(Path::new("cpp"))?).compile("sagetrain_torch_cpp");
    Ok(())
}

fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "cpp") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
