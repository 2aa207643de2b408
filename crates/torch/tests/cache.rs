//! The cache of tensor memory: blocks come back, hold what is written, and stay within their limit. One test, for the cache is the
//! process's.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use sagetrain_torch::{cache_memory, release_memory};
use tch::{Device, Kind, Tensor};

const MIB: i64 = 1 << 20;

fn ones(bytes: i64) -> Tensor {
    Tensor::f_ones([bytes / 4], (Kind::Float, Device::Cpu)).unwrap()
}

/// Resident bytes that are no file's.
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<i64>().unwrap() * 1024
}

#[test]
fn blocks_are_kept_within_a_limit_and_handed_out_again() {
    let before_the_cache = ones(3 * MIB);
    cache_memory().unwrap();
    cache_memory().unwrap();
    drop(before_the_cache);

    let first = ones(8 * MIB);
    let address = first.data_ptr();
    drop(first);
    let second = Tensor::f_zeros([8 * MIB / 4 - 1000], (Kind::Float, Device::Cpu)).unwrap();
    assert_eq!(second.data_ptr(), address, "a block of the same class is not mapped anew");
    assert_eq!(second.f_sum(Kind::Double).unwrap().f_double_value(&[]).unwrap(), 0.0);
    drop(second);

    // Around every class boundary, what is written to one block is in no other.
    let sizes: Vec<i64> =
        (0..40).flat_map(|step| [-4, 0, 4].map(|off| (64 << 10) * (step + 4) / 4 + off)).collect();
    let all: Vec<Tensor> = sizes
        .iter()
        .enumerate()
        .map(|(n, &bytes)| ones(bytes).f_multiply_scalar(n as f64).unwrap())
        .collect();
    for (n, tensor) in all.iter().enumerate() {
        assert_eq!(tensor.data_ptr() as usize % 64, 0);
        assert_eq!((tensor.min().double_value(&[]), tensor.max().double_value(&[])), (n as f64, n as f64));
    }
    drop(all);

    // Sizes that rise for ever leave no trail: live is at most 30 MiB at a time.
    release_memory().unwrap();
    let start = resident();
    for step in 0..200 {
        drop(ones(10 * MIB + step * MIB / 10));
    }
    let grown = resident() - start;
    assert!(grown <= 30 * MIB / 4 * 5 + 2 * MIB, "{grown} bytes kept");

    release_memory().unwrap();
    let left = resident() - start;
    assert!(left < 2 * MIB, "{left} bytes not returned");

    // Freed by another thread than the one that took it.
    let tensor = ones(4 * MIB);
    let address = tensor.data_ptr();
    std::thread::spawn(move || drop(tensor)).join().unwrap();
    let again = ones(4 * MIB);
    assert_eq!(again.data_ptr(), address);

    // A storage that grows in place moves to a larger block and keeps its values.
    let mut growing = ones(MIB);
    let _ = growing.f_resize_([2 * MIB / 4]).unwrap();
    assert_eq!(growing.narrow(0, 0, MIB / 4).min().double_value(&[]), 1.0);
    drop((again, growing));

    threads_do_not_share_blocks();

    // What cannot be had is refused, spoils no limit, and the blocks in hand can still be used.
    release_memory().unwrap();
    let start = resident();
    let refused = Tensor::f_zeros([1 << 60], (Kind::Int8, Device::Cpu)).unwrap_err().to_string();
    assert!(refused.contains("a tensor of 1152921504606846976 bytes"), "{refused}");
    let refused = Tensor::f_empty([1 << 50], (Kind::Int8, Device::Cpu)).unwrap_err().to_string();
    assert!(refused.contains("not enough memory for a tensor of 1125899906842624 bytes"), "{refused}");
    for step in 0..100 {
        drop(ones(10 * MIB + step * MIB / 10));
    }
    assert!(resident() - start <= 20 * MIB / 4 * 5 + 2 * MIB);
}

/// Two threads write patterns of their own and find them again, while a third returns what is kept.
fn threads_do_not_share_blocks() {
    let work = |seed: i64| {
        for step in 0..300 {
            let sizes = [64, 80, 100, 1000].map(|kib| (kib << 10) + (step * 37 + seed) % 4096 / 4 * 4);
            let tensors = sizes.map(|bytes| ones(bytes).f_multiply_scalar((step + seed) as f64).unwrap());
            for tensor in &tensors {
                assert_eq!(tensor.min().double_value(&[]), (step + seed) as f64);
                assert_eq!(tensor.max().double_value(&[]), (step + seed) as f64);
            }
        }
    };
    std::thread::scope(|scope| {
        for seed in [1, 1000] {
            scope.spawn(move || work(seed));
        }
        scope.spawn(|| (0..100).for_each(|_| release_memory().unwrap()));
    });
}
