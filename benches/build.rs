//! Lets the benches that use libtorch find it at run time.

fn main() {
    if let Ok(folder) = std::env::var("DEP_SAGETRAIN_TORCH_RUN_LIB") {
        println!("cargo:rustc-link-arg=-Wl,--disable-new-dtags,-rpath,{folder}");
    }
}
