//! Every kernel compiles for every architecture: PTX with whole vectors and plain roundings, CUBINs without a spill.

use crate::tools::nvrtc;
use sagetrain_kernels::cuda::{Cache, CudaError, Family, Kept, Nvrtc, Object, Program, Storage, Variant};
use std::env;
use std::fs;
use std::process::{Command, Output};
use std::thread;
use std::time::Instant;

const ARCHITECTURES: [u32; 7] = [75, 80, 86, 89, 90, 100, 120];
/// `all` compiles everything for everything: about five minutes.
const WHOLE: &str = "SAGETRAIN_CUDA_MATRIX";
/// Which part of the work a child process takes, as `1/2`.
const SHARD: &str = "SAGETRAIN_CUDA_SHARD";
/// NVRTC compiles one program at a time in a process, so the work is spread over two.
const SHARDS: usize = 2;

/// What is compiled for what. Registers are scarcest and the compiler's two generations furthest apart at the ends: the oldest and the
/// newest architecture see every kernel. Each of the five between sees another tenth of them, in which all rules, storages and ways to
/// keep E occur.
fn matrix() -> Vec<(Program, u32, Option<Variant>)> {
    let whole = env::var(WHOLE).is_ok_and(|value| value == "all");
    let mut all = Vec::new();
    for (a, architecture) in ARCHITECTURES.into_iter().enumerate() {
        let ends = a == 0 || a + 1 == ARCHITECTURES.len();
        let variants = Variant::all().into_iter().enumerate();
        let chosen = variants.filter(|(v, _)| whole || ends || v % 10 == 2 * (a - 1));
        all.extend(chosen.map(|(_, variant)| (variant.program(), architecture, Some(variant))));
        let others = Program::norms().into_iter().chain([Program::mask()]);
        all.extend(others.map(|program| (program, architecture, None)));
    }
    all
}

#[test]
fn the_architectures_between_see_all_that_there_is() {
    let between = |(_, architecture, variant): (Program, u32, Option<Variant>)| {
        variant.filter(|_| (80..=100).contains(&architecture))
    };
    let seen: Vec<Variant> = matrix().into_iter().filter_map(between).collect();
    assert!(Family::ALL.iter().all(|family| seen.iter().any(|variant| variant.family == *family)));
    assert!(Storage::ALL.iter().all(|storage| seen.iter().any(|variant| variant.storage == *storage)));
    let kept = [Kept::Off, Kept::Compute, Kept::Bfloat16];
    assert!(kept.iter().all(|kept| seen.iter().any(|variant| variant.kept == *kept)));
}

#[test]
fn every_kernel_compiles_without_a_spill_and_with_the_roundings_it_states() {
    let Some(nvrtc) = nvrtc() else { return };
    for architecture in ARCHITECTURES {
        assert_eq!(nvrtc.target(architecture).unwrap(), architecture);
    }
    let began = Instant::now();
    let outputs = thread::scope(|scope| {
        let children: Vec<_> = (0..SHARDS).map(|index| scope.spawn(move || shard(index))).collect();
        children.into_iter().map(|child| child.join().unwrap()).collect::<Vec<_>>()
    });
    // What a child prints is shown only where it failed: its lines would be taken for results of this run.
    for output in &outputs {
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        text.lines().filter(|line| line.contains("registers")).for_each(|line| eprintln!("{line}"));
    }
    eprintln!("{} kernels compiled in {:.0} s", matrix().len(), began.elapsed().as_secs_f64());
}

/// This test program once more, for one part of the work.
fn shard(index: usize) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "compiled::part_of_the_kernels", "--nocapture", "--ignored"]);
    command.env(SHARD, format!("{index}/{SHARDS}")).output().unwrap()
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn part_of_the_kernels() {
    let shard = env::var(SHARD).unwrap_or("0/1".to_owned());
    let (index, shards) = shard.split_once('/').unwrap();
    let (index, shards): (usize, usize) = (index.parse().unwrap(), shards.parse().unwrap());
    let Some(nvrtc) = nvrtc() else { return };
    let mut most = (0, String::new());
    for (program, architecture, variant) in matrix().into_iter().skip(index).step_by(shards) {
        let object = nvrtc.compile(&program, architecture).unwrap();
        let name = format!("{} for sm_{architecture}", program.name);
        check_ptx(&name, &object.ptx, variant);
        most = most.max((check_cubin(&name, &object), name));
    }
    eprintln!("at most {} registers a thread: {}", most.0, most.1);
}

/// Vectors where they belong, and each operation on floating-point numbers rounded once, to nearest.
fn check_ptx(name: &str, ptx: &str, variant: Option<Variant>) {
    if let Some(variant) = variant {
        let (loads, stores) = (vectors(ptx, "ld.global"), vectors(ptx, "st.global"));
        let least = arrays(variant);
        assert!(loads > least && stores >= least, "{name}: {loads} and {stores} vectors of {least} arrays");
    }
    for line in ptx.lines() {
        if let Some(problem) = problem(line) {
            panic!("{name}: {problem}: {line}");
        }
    }
}

/// Arrays that a kernel writes; it reads the gradient as well.
fn arrays(variant: Variant) -> usize {
    let states = if variant.family == Family::Sgd { 1 } else { 2 };
    let others = [variant.storage.fine_bytes() > 0, variant.kept != Kept::Off, true];
    1 + states + others.into_iter().filter(|there| *there).count()
}

/// How many accesses take a whole vector: 128 bits, or 64 of a 16-bit type.
fn vectors(ptx: &str, access: &str) -> usize {
    ["v4", "v2"].iter().map(|width| ptx.matches(&format!("{access}.{width}.b32")).count()).sum()
}

/// What is wrong with a line of PTX.
fn problem(line: &str) -> Option<&'static str> {
    let code = line.split("//").next().unwrap_or("").trim();
    let instruction = code.split_whitespace().find(|word| !word.starts_with('@'))?.trim_end_matches(';');
    let mut parts = instruction.split('.');
    let operation = parts.next()?;
    let modifiers: Vec<&str> = parts.collect();
    let has = |modifier: &str| modifiers.contains(&modifier);
    if ["approx", "ftz", "full"].into_iter().any(has) {
        return Some("not exact");
    }
    let floating = has("f32") || has("f64");
    let rounds = ["add", "sub", "mul", "div", "sqrt", "fma", "mad", "rcp", "rsqrt"].contains(&operation);
    if floating && rounds && !has("rn") {
        return Some("not rounded to nearest");
    }
    match operation {
        "mad" | "rcp" | "rsqrt" | "ex2" | "lg2" | "sin" | "cos" | "tanh" if floating => {
            Some("another formula")
        }
        "ld" | "st" if has("local") => Some("local memory"),
        "ld" | "st" if !["global", "param", "shared"].into_iter().any(has) => {
            Some("an address of unknown kind")
        }
        "call" => Some("a call"),
        _ => None,
    }
}

/// The registers a thread takes; neither spills nor a stack.
fn check_cubin(name: &str, object: &Object) -> u32 {
    const CUDA: [u8; 2] = 190u16.to_le_bytes();
    assert!(object.cubin.starts_with(b"\x7fELF") && object.cubin[18..20] == CUDA, "{name} is no CUBIN");
    let clean = "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads";
    assert!(object.log.contains(clean), "{name}: {}", object.log);
    assert_eq!(object.log.matches("bytes stack frame").count(), 1, "{name}: {}", object.log);
    let used = object.log.split("Used ").nth(1).and_then(|rest| rest.split(' ').next());
    used.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{name}: {}", object.log))
}

#[test]
fn the_check_of_the_ptx_sees_what_it_looks_for() {
    let bad = [
        "mul.f32 %f1, %f2, %f3;",
        "@%p1 add.f64 %fd1, %fd2, %fd3;",
        "div.approx.f32 %f1, %f2, %f3;",
        "fma.rn.ftz.f32 %f1, %f2, %f3, %f4;",
        "div.full.f32 %f1, %f2, %f3;",
        "st.local.v4.f32 [%rd1], {%f1, %f2, %f3, %f4};",
        "ld.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1];",
        "rcp.rn.f32 %f1, %f2;",
    ];
    assert!(bad.iter().all(|line| problem(line).is_some()));
    let good =
        ["mul.rn.f32 %f1, %f2, %f3;", "mul.lo.s32 %r1, %r2, %r3;", "@%p1 bra $L1;", "// div.approx.f32", "}"];
    assert!(good.iter().all(|line| problem(line).is_none()));
}

#[test]
fn what_does_not_compile_says_why() {
    let Some(nvrtc) = nvrtc() else { return };
    let mut program = Program::norms().remove(0);
    program.source += "nonsense";
    match nvrtc.compile(&program, 90) {
        Err(CudaError::Compile { log, code: 6, .. }) => assert!(log.contains("nonsense"), "{log}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(nvrtc.target(52), Err(CudaError::Architecture { architecture: 52, .. })));
}

#[test]
fn a_damaged_file_of_the_cache_is_compiled_again() {
    let Some(nvrtc) = nvrtc() else { return };
    let (folder, program) = (tempfile::tempdir().unwrap(), Program::norms().remove(4));
    let cache = Cache::in_folder(folder.path());
    let first = nvrtc.cubin(&program, 90, &cache).unwrap();
    let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(nvrtc.cubin(&program, 90, &cache).unwrap(), first);
    assert_eq!(fs::read(&path).unwrap(), whole);
    let read_only = Cache::in_folder(path.join("below a file"));
    assert_eq!(nvrtc.cubin(&program, 90, &read_only).unwrap(), first);
}

#[test]
fn a_missing_nvrtc_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    match Nvrtc::open(Some(folder.path())) {
        Err(error) => assert!(error.to_string().contains("SAGETRAIN_NVRTC"), "{error}"),
        // The system has one, or the variable names one.
        Ok(_) => eprintln!("skipped: this system has an NVRTC of its own"),
    }
}
