//! On a GPU: optimizer steps with the CPU's bits, on the default stream and on another, and dropout's masks. What needs no GPU is
//! checked everywhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LOCAL, RTLD_NOW};
use sagetrain_kernels::cuda::{Cache, Folders, Kernels};
use sagetrain_kernels::{Float, Stored, bf16, f16};
use sagetrain_optim::{
    Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo, Serial, StepInputs, Values,
};
use sagetrain_torch::cuda::{CudaOptimizer, current_stream, on_pool_stream};
use sagetrain_torch::{Dropout, dropout, upload};
use tch::{Device, Kind, Tensor};

const DEVICE: Device = Device::Cuda(0);
const STEPS: u64 = 4;

/// libtorch's CUDA half, where there is a driver: as bindings/cpp/cuda.cc loads it.
fn load_cuda() -> Result<(), String> {
    // SAFETY: the initialisers of the driver and of libtorch_cuda have no preconditions.
    let open = |name, scope| unsafe { Library::open(Some(name), RTLD_NOW | scope) };
    open("libcuda.so.1", RTLD_LOCAL).map_err(|error| format!("no NVIDIA driver: {error:?}"))?;
    let library = open("libtorch_cuda.so", RTLD_GLOBAL).map_err(|error| error.to_string())?;
    std::mem::forget(library);
    if tch::Cuda::is_available() { Ok(()) } else { Err("libtorch finds no GPU".to_owned()) }
}

fn kernels(cache: &Path) -> Option<Arc<Kernels>> {
    if let Err(reason) = load_cuda() {
        eprintln!("skipped: {reason}");
        return None;
    }
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.libtorch/run/nvidia");
    let folders = std::fs::read_dir(packages).into_iter().flatten().flatten();
    let nvrtc: Option<PathBuf> =
        folders.map(|entry| entry.path().join("lib")).find(|lib| lib.join("libnvrtc.so.13").exists());
    Some(Arc::new(Kernels::open(Folders { nvrtc, cache: Cache::in_folder(cache) }).unwrap()))
}

/// 199 parameters of mixed sizes, as many as BERT-base has.
fn infos() -> Vec<ParameterInfo> {
    let shape = |i: usize| match i % 5 {
        0 => vec![i + 1],
        1 => vec![3, i],
        2 => vec![2 * i + 1, 64],
        3 => vec![129, 131],
        _ => vec![(i * 37) % 900],
    };
    (0..199).map(|i| ParameterInfo::new(format!("p{i}"), shape(i))).collect()
}

/// Numbers of several sizes, a function of seed and index.
fn numbers<S: Stored>(seed: u64, count: usize, scale: f64) -> Vec<S> {
    let number = |index: u64| {
        let mut z = (seed << 32 | index).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
        S::narrow(S::Compute::from_f64(scale * unit * 2f64.powi(-((z & 7) as i32))))
    };
    (0..count as u64).map(number).collect()
}

fn tensor<S: Stored>(values: &[S], shape: &[usize], device: Device) -> Tensor {
    let kind = match S::DTYPE {
        "float64" => Kind::Double,
        "bfloat16" => Kind::BFloat16,
        "float16" => Kind::Half,
        _ => Kind::Float,
    };
    let shape: Vec<i64> = shape.iter().map(|&extent| extent as i64).collect();
    Tensor::f_from_data_size(bytemuck::cast_slice(values), &shape, kind).unwrap().to_device(device)
}

fn bytes(tensor: &Tensor, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    tensor.f_copy_data_u8(&mut bytes, tensor.numel()).unwrap();
    bytes
}

/// Trains the same parameters on both and compares bits after the last step.
fn compare<S: Stored>(spec: &OptimizerSpec, options: &str, kernels: &Arc<Kernels>) {
    let (infos, options) = (infos(), serde_options(options));
    let mut cpu = Optimizer::<S>::new(spec, &infos, &options, &Owned).unwrap();
    let mut gpu = CudaOptimizer::<S>::new(spec, &infos, &options, DEVICE, kernels.clone()).unwrap();
    let lengths: Vec<usize> = infos.iter().map(ParameterInfo::elements).collect();
    let mut data: Vec<Vec<S>> = (0..199).map(|i| numbers(i as u64, lengths[i], 1.0)).collect();
    let on_gpu = |values: &[S], i: usize| tensor(values, &infos[i].shape, DEVICE);
    let parameters: Vec<Tensor> = data.iter().enumerate().map(|(i, data)| on_gpu(data, i)).collect();
    let inputs = StepInputs { divisor: 3.0, ..StepInputs::default() };
    for step in 1..=STEPS {
        let gradients: Vec<Vec<S>> =
            (0..199).map(|i| numbers(1000 * step + i as u64, lengths[i], 1e-2)).collect();
        let tensors: Vec<Option<Tensor>> =
            gradients.iter().enumerate().map(|(i, gradient)| Some(on_gpu(gradient, i))).collect();
        gpu.step(&parameters, &tensors, inputs).unwrap();
        let mut slices: Vec<&mut [S]> = data.iter_mut().map(Vec::as_mut_slice).collect();
        let gradients: Vec<Option<&[S]>> =
            gradients.iter().map(|gradient| Some(gradient.as_slice())).collect();
        let report = cpu.step(&mut slices, &gradients, inputs, &Serial).unwrap();
        let verdict = gpu.verdict().unwrap();
        assert_eq!(verdict.map(|verdict| verdict.norm), report.gradient_norm);
    }
    let what = format!("{} {options:?} {}", spec.kind(), S::DTYPE);
    for (i, (data, parameter)) in data.iter().zip(&parameters).enumerate() {
        let expected: &[u8] = bytemuck::cast_slice(data);
        assert!(bytes(parameter, expected.len()) == expected, "{what}: parameter {i}");
    }
    let image = gpu.image().unwrap();
    for (gpu, cpu) in gpu.state(&image).iter().zip(cpu.state()) {
        assert_eq!((&gpu.0, gpu.1), (&cpu.0, cpu.1));
        assert!(gpu.2.bytes() == cpu.2.bytes(), "{what}: {}", cpu.0);
    }
}

fn serde_options(text: &str) -> OptimizerOptions {
    OptimizerOptions::from_json(&serde_json::from_str(text).unwrap(), "").unwrap()
}

fn specs() -> Vec<OptimizerSpec> {
    let texts = [
        r#"{"type":"sgd","lr":0.01,"momentum":0.9,"sage":{"beta0":0.75}}"#,
        r#"{"type":"sgd","lr":0.01}"#,
        r#"{"type":"adam","lr":0.001,"weightDecay":0.1,"sage":{"beta0":0.75,"scope":{"include":["p1*"]}}}"#,
        r#"{"type":"adamw","lr":0.001,"weightDecay":0.1}"#,
        r#"{"type":"adamw","lr":0.001,"sage":{"form":"released","beta0":0.75}}"#,
        r#"{"type":"adamax","lr":0.001,"sage":{"beta0":0.75}}"#,
        r#"{"type":"adamax","lr":0.001,"sage":{"form":"released","beta0":0.75}}"#,
    ];
    let spec =
        |text: &&str| OptimizerSpec::from_json(&serde_json::from_str(text).unwrap(), "optimizer").unwrap();
    texts.iter().map(spec).collect()
}

#[test]
fn steps_have_the_bits_of_the_cpu() {
    let cache = tempfile::tempdir().unwrap();
    let Some(kernels) = kernels(cache.path()) else { return };
    for spec in specs() {
        let train = || {
            compare::<f32>(&spec, r#"{"maxGradientNorm":1,"average":{"decay":0.9}}"#, &kernels);
            compare::<f64>(&spec, r#"{"nonFinite":"unchecked"}"#, &kernels);
            compare::<f16>(&spec, r#"{"nonFinite":"skip"}"#, &kernels);
            for rounding in ["nearest", "stochastic", "kahan"] {
                compare::<bf16>(&spec, &format!(r#"{{"rounding":"{rounding}"}}"#), &kernels);
            }
        };
        train();
        on_pool_stream(DEVICE, || {
            assert_ne!(current_stream(DEVICE).unwrap(), 0);
            train();
        })
        .unwrap();
    }
    // A thread that has never used the device has no context.
    std::thread::spawn(move || compare::<f32>(&OptimizerSpec::adam(1e-3), "{}", &kernels)).join().unwrap();
}

#[test]
fn a_bad_gradient_stops_the_device_until_the_host_has_looked() {
    let cache = tempfile::tempdir().unwrap();
    let Some(kernels) = kernels(cache.path()) else { return };
    let (infos, spec) = ([ParameterInfo::new("p", [4])], OptimizerSpec::adam(1e-3));
    let mut gpu = CudaOptimizer::<f32>::new(&spec, &infos, &serde_options("{}"), DEVICE, kernels).unwrap();
    let parameters = [tensor(&[1f32; 4], &[4], DEVICE)];
    for value in [0.5, f32::NAN, 0.5] {
        let gradients = [Some(tensor(&[value; 4], &[4], DEVICE))];
        gpu.step(&parameters, &gradients, StepInputs::default()).unwrap();
    }
    assert_eq!(gpu.verdict().unwrap_err().code(), "ERR_NON_FINITE");
    assert_eq!(gpu.plan().step_count(), 1);
    let image = gpu.image().unwrap();
    let first = gpu.state(&image)[0].2.as_slice::<f32>().unwrap().to_vec();
    let state = [("p/exp_avg", [4usize].as_slice(), Values::of(&first))];
    assert_eq!(gpu.load(&state, 1, None).unwrap().missing, ["p/exp_avg_sq"]);
    let gradients = [Some(tensor(&[0.5f32; 4], &[4], DEVICE))];
    assert_eq!(gpu.step(&parameters, &gradients, StepInputs::default()).unwrap().step, 2);
    assert!(gpu.verdict().unwrap().is_some());
}

#[test]
fn masks_are_the_definition_bit_for_bit() {
    if let Err(reason) = load_cuda() {
        return eprintln!("skipped: {reason}");
    }
    let key = Dropout { p: 0.3, seed: 0x0123_4567_89ab_cdef, step: 0x1_0000_0005, stream: 77 };
    let ones = |elements: i64| upload(&Tensor::ones([elements], (Kind::Float, Device::Cpu)), DEVICE).unwrap();
    let check = move |ones: &Tensor| {
        let found = dropout(ones, Some(key)).unwrap().to_device(Device::Cpu);
        assert!(Vec::<f32>::try_from(&found).unwrap() == key.factors(ones.numel()), "{}", ones.numel());
    };
    // The last has more than the blocks of one launch make at once.
    for elements in [1, 127, 128, 129, 5000, 10_000_003] {
        check(&ones(elements));
    }
    on_pool_stream(DEVICE, || check(&ones(5000))).unwrap();
    // A thread that has never used the device has no context.
    let other = ones(5000);
    std::thread::spawn(move || check(&other)).join().unwrap();
}

#[test]
fn without_cuda_the_stream_says_so() {
    assert_eq!(current_stream(Device::Cpu).unwrap_err().code(), "ERR_ARGUMENT");
    let missing = if load_cuda().is_ok() { Device::Cuda(99) } else { DEVICE };
    let error = current_stream(missing).unwrap_err();
    assert_eq!(error.code(), "ERR_TORCH", "{error}");
    assert_eq!(on_pool_stream(missing, || ()).unwrap_err().code(), "ERR_TORCH");
    eprintln!("{error}");
}
