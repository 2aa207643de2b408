//! Tells this crate's test binaries where libtorch lies; crates/torch found it.

use std::env;

fn main() {
    if let Ok(folder) = env::var("DEP_SAGETRAIN_TORCH_RUN_LIB") {
        println!("cargo:rustc-link-arg=-Wl,--disable-new-dtags,-rpath,{folder}");
    }
}
