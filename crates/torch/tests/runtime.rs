//! libtorch loads, says what it is, and keeps each thread's number of threads apart.

use sagetrain_torch::{runtime, set_threads, threads};

#[test]
fn libtorch_is_the_pinned_version_with_parallel_loops() {
    let info = runtime().unwrap();
    assert_eq!(info.libtorch_version, "2.13.0");
    assert!(info.has_openmp, "cpp/ was compiled without OpenMP");
    assert!(
        info.build_config.contains("oneDNN") || info.build_config.contains("MKL-DNN"),
        "{}",
        info.build_config
    );
    assert!(
        ["avx512_bf16", "avx512", "avx2", "baseline"].contains(&info.kernels.as_str()),
        "{}",
        info.kernels
    );
    assert!(info.peak_resident_bytes > 1 << 20);
}

#[test]
fn threads_belong_to_the_calling_thread() {
    let (ready, wait) = std::sync::mpsc::channel();
    let (go, resume) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        set_threads(1).unwrap();
        ready.send(()).unwrap();
        resume.recv().unwrap();
        threads().unwrap()
    });
    wait.recv().unwrap();
    set_threads(2).unwrap();
    go.send(()).unwrap();
    assert_eq!(other.join().unwrap(), 1);
    assert_eq!(threads().unwrap(), 2);
}

#[test]
fn impossible_thread_counts_are_refused() {
    assert_eq!(set_threads(0).unwrap_err().code(), "ERR_ARGUMENT");
    assert_eq!(set_threads(5000).unwrap_err().code(), "ERR_ARGUMENT");
}
