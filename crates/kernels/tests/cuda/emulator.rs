//! The text compiled as C++, and run on the CPU.

use crate::machine::Machine;
use crate::tools::skip;
use libloading::{Library, Symbol};
use sagetrain_kernels::cuda::{
    Constants, Family, HEADERS, Judge, Mask, Plan, Program, Squares, Storage, Variant,
};
use sagetrain_kernels::{Float, Stored};
use std::env;
use std::ffi::c_void;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::ptr;
use std::sync::OnceLock;
use std::thread;

/// Fewer blocks than there is work, so that the grid has to stride.
const GRID: u32 = 3;
const OPTIONS: [&str; 8] =
    ["-std=c++17", "-O2", "-ffp-contract=off", "-fno-strict-aliasing", "-fPIC", "-shared", "-w", "-o"];
/// Positions, for a test of their own.
const POSITIONS: &str = "
using namespace sagetrain;
extern \"C\" u64 position_block_start(u32 block) { return block_start(block); }
extern \"C\" u32 position_block_length(u32 block, u64 length) { return block_length(block, length); }
extern \"C\" u64 position_address(u64 array, u64 element, u32 size) { return address(array, element, size); }
extern \"C\" u32 position_noise_counter(u64 element) { return noise_counter(element); }
";

/// The libraries of the kernels: the norm's and the mask's, then one a family.
struct Libraries(Vec<Library>);

/// The CPU in a GPU's place. Memory is given back when it goes.
pub struct Emulator {
    libraries: &'static Libraries,
    memory: Vec<Box<[Line]>>,
}

#[derive(Clone, Copy)]
#[repr(C, align(256))]
struct Line([u8; 256]);

impl Emulator {
    /// Nothing, with the reason said, where there is no compiler.
    pub fn new() -> Option<Self> {
        static LIBRARIES: OnceLock<Option<Libraries>> = OnceLock::new();
        let libraries = LIBRARIES.get_or_init(compile).as_ref();
        if libraries.is_none() {
            skip("no C++ compiler: neither $CXX, c++, g++ nor clang++ runs");
        }
        Some(Self { libraries: libraries?, memory: Vec::new() })
    }

    /// Runs a kernel.
    pub fn run<P>(&self, name: &str, parameter: &P) {
        let run = self.function::<unsafe extern "C" fn(*const c_void, u32)>(&format!("run_{name}"));
        // The fibers of a library share its variables: one kernel at a time.
        static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // SAFETY: the caller's parameter is the kernel's own, its addresses are this machine's.
        unsafe { run(ptr::from_ref(parameter).cast(), GRID) };
    }

    /// A function of the libraries.
    pub fn function<T>(&self, name: &str) -> Symbol<'static, T> {
        // SAFETY: callers name the type that the text has.
        let find = |library: &'static Library| unsafe { library.get::<T>(name) }.ok();
        self.libraries.0.iter().find_map(find).unwrap_or_else(|| panic!("no {name}"))
    }
}

impl Machine for Emulator {
    fn place(&mut self, bytes: &[u8], off: usize) -> u64 {
        let mut lines = vec![Line([0xa5; 256]); (off + bytes.len()).div_ceil(256).max(1)].into_boxed_slice();
        // SAFETY: the lines are as long as offset and bytes together.
        let address = unsafe {
            let start = lines.as_mut_ptr().cast::<u8>().add(off);
            ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            start as u64
        };
        self.memory.push(lines);
        address
    }

    fn read(&self, address: u64, bytes: usize) -> Vec<u8> {
        if bytes == 0 {
            // An array that is not kept has no address.
            return Vec::new();
        }
        // SAFETY: callers read what they placed.
        unsafe { std::slice::from_raw_parts(address as *const u8, bytes) }.to_vec()
    }

    fn step<F: Float>(&mut self, plan: &Plan, verdict: Option<u64>, groups: &[Constants<F>]) {
        let table = self.place(&plan.bytes(), 0);
        let launch = plan.launch(table, verdict, groups).unwrap();
        self.run(&plan.variant().to_string(), &launch);
    }

    fn squares<S: Stored>(&mut self, task: &Squares) {
        self.run(&format!("squares_{}", S::DTYPE), task);
    }

    fn judge(&mut self, task: &Judge) {
        self.run("judge", task);
    }

    fn mask(&mut self, task: &Mask) {
        self.run("mask", task);
    }
}

/// All kernels, in as many libraries as can be compiled side by side.
fn compile() -> Option<Libraries> {
    let candidates = env::var("CXX").into_iter().chain(["c++", "g++", "clang++"].map(str::to_owned));
    let runs =
        |name: &String| Command::new(name).arg("--version").output().is_ok_and(|run| run.status.success());
    let compiler = candidates.into_iter().find(runs)?;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in HEADERS {
        fs::write(folder.path().join(name), text).unwrap();
    }
    // The one header in the assembler's words.
    fs::write(folder.path().join("access.cuh"), include_str!("access.hpp")).unwrap();
    fs::write(folder.path().join("prelude.hpp"), include_str!("prelude.hpp")).unwrap();
    let library = |name: &str, text: String| build(&compiler, folder.path(), name, &text);
    let library = &library;
    let others = || library("others", others());
    thread::scope(|scope| {
        let families =
            Family::ALL.map(|family| scope.spawn(move || library(&format!("{family:?}"), rules(family))));
        let mut all = vec![others()];
        all.extend(families.map(|family| family.join().unwrap()));
        Some(Libraries(all))
    })
}

fn others() -> String {
    let kernel = |program: &Program| match program.name.as_str() {
        "judge" => format!("{}RUN(judge, sagetrain::Judge, sagetrain::JUDGES, true)\n", program.source),
        name => format!("{}RUN({name}, sagetrain::Squares, sagetrain::SUMMERS, true)\n", program.source),
    };
    let mask = format!("{}RUN(mask, sagetrain::Mask, sagetrain::MASKERS, false)\n", Program::mask().source);
    Program::norms().iter().map(kernel).chain([mask, POSITIONS.to_owned()]).collect()
}

fn rules(family: Family) -> String {
    let kernel = |variant: Variant| {
        let compute = if variant.storage == Storage::Float64 { "double" } else { "float" };
        let source = variant.program().source;
        format!("{source}RUN({variant}, sagetrain::Launch<{compute}>, sagetrain::THREADS, false)\n")
    };
    Variant::all().into_iter().filter(|variant| variant.family == family).map(kernel).collect()
}

fn build(compiler: &str, folder: &Path, name: &str, text: &str) -> Library {
    let (source, library) = (folder.join(format!("{name}.cpp")), folder.join(format!("{name}.so")));
    fs::write(&source, format!("#include \"prelude.hpp\"\n{text}")).unwrap();
    let run = Command::new(compiler).args(OPTIONS).arg(&library).arg(&source).output().unwrap();
    assert!(run.status.success(), "{compiler}: {}", String::from_utf8_lossy(&run.stderr));
    // SAFETY: compiled above; it has no initialisers.
    unsafe { Library::new(&library) }.unwrap()
}
