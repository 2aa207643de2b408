//! Compiles the node-addon-api half in `cpp/`, and makes the addon find its libtorch wherever the checkout or package lies.
//!
//! Reads `DEP_SAGETRAIN_TORCH_INCLUDE`, the folder of `sagetrain_torch.h`, from crates/torch.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where libtorch lies as seen from the addon, in a checkout and, second, in a package under node_modules.
const RUN_PATHS: [&str; 2] =
    ["$ORIGIN/../.libtorch/run/torch/lib", "$ORIGIN/../../.cache/sagetrain/libtorch/run/torch/lib"];

/// Prints the folders of the headers of node-addon-api and Node-API, a line each.
const HEADER_FOLDERS: &str = "
    const { dirname } = require('node:path')
    console.log(dirname(require.resolve('node-addon-api/package.json')))
    console.log(require('node-api-headers').include_dir)";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=cpp");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    napi_build::setup();
    compile(&root)?;
    link();
    declare(&root)
}

fn compile(root: &Path) -> Result<(), Box<dyn Error>> {
    let mut build = cc::Build::new();
    build.cpp(true).pic(true).std("c++17").flag("-fvisibility=hidden").flag("-Wall").flag("-Wextra");
    // System includes: warnings of others' headers are not ours.
    for folder in header_folders(root)? {
        build.flag("-isystem").flag(folder);
    }
    build.include(env::var("DEP_SAGETRAIN_TORCH_INCLUDE")?);
    // Node-API 9 is the newest that Node 20.19 has. With _ALL every C++ exception becomes a JavaScript error; with plain
    // NODE_ADDON_API_CPP_EXCEPTIONS one that is no Napi::Error ends the process.
    build.define("NAPI_VERSION", "9").define("NODE_ADDON_API_CPP_EXCEPTIONS_ALL", None);
    build.files(["cpp/exports.cc", "cpp/cuda.cc", "cpp/runtime.cc"]).compile("sagetrain_addon_cpp");
    Ok(())
}

fn header_folders(root: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let output = Command::new("node").args(["-e", HEADER_FOLDERS]).current_dir(root).output()?;
    if !output.status.success() {
        return Err("node-addon-api and node-api-headers are not installed: run `npm run setup`".into());
    }
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

fn link() {
    // RPATH and not RUNPATH: it must also serve what libtorch's own libraries load.
    println!("cargo:rustc-cdylib-link-arg=-Wl,--disable-new-dtags,-rpath,{}", RUN_PATHS.join(":"));
    println!("cargo:rustc-link-lib=dl");
}

/// Tells napi-derive where to leave the declarations that set-up turns into `binding.d.cts`. The same folder for every
/// cargo command, or the crate would be compiled anew whenever they alternate.
fn declare(root: &Path) -> Result<(), Box<dyn Error>> {
    let folder = root.join("target/napi");
    fs::create_dir_all(&folder)?;
    println!("cargo:rustc-env=NAPI_TYPE_DEF_TMP_FOLDER={}", folder.display());
    Ok(())
}
