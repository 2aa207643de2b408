//! NVRTC, opened at run time. It needs no GPU.
#![allow(unsafe_code, reason = "calls a C library by its header's signatures")]

use crate::cuda::text::HEADERS;
use crate::cuda::{CudaError, Program, Result};
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LOCAL, RTLD_NOW};
use std::env;
use std::ffi::{CStr, CString, OsString, c_char, c_int, c_void};
use std::fs;
use std::path::{Path, PathBuf};
use std::ptr;

const LIBRARY: &str = "libnvrtc.so.13";
const BUILTINS: &str = "libnvrtc-builtins.so.13";

/// What the text is compiled with, besides the architecture: nothing fused, nothing flushed, nothing approximated. `-v` makes the
/// assembler say in the log what registers and memory a kernel takes.
pub const OPTIONS: [&str; 6] = [
    "--std=c++17",
    "--fmad=false",
    "--ftz=false",
    "--prec-div=true",
    "--prec-sqrt=true",
    "--ptxas-options=-v",
];

type Handle = *mut c_void;
type Create = unsafe extern "C" fn(
    *mut Handle,
    *const c_char,
    *const c_char,
    c_int,
    *const *const c_char,
    *const *const c_char,
) -> c_int;
type Compile = unsafe extern "C" fn(Handle, c_int, *const *const c_char) -> c_int;
type Size = unsafe extern "C" fn(Handle, *mut usize) -> c_int;
type Fetch = unsafe extern "C" fn(Handle, *mut c_char) -> c_int;

/// The compiler.
#[derive(Debug)]
pub struct Nvrtc {
    create: Create,
    destroy: unsafe extern "C" fn(*mut Handle) -> c_int,
    compile: Compile,
    log: (Size, Fetch),
    ptx: (Size, Fetch),
    cubin: (Size, Fetch),
    version: (c_int, c_int),
    supported: Vec<u32>,
    /// Last, so that it is closed when nothing points into it any more.
    _library: Library,
}

/// A compiled kernel.
#[derive(Clone, Debug)]
pub struct Object {
    /// What the driver loads.
    pub cubin: Vec<u8>,
    /// What it was assembled from.
    pub ptx: String,
    /// What compiler and assembler had to say.
    pub log: String,
}

impl Nvrtc {
    /// Looks in the folder that the environment variable SAGETRAIN_NVRTC names, in `folder`, then where the system's linker looks.
    ///
    /// # Errors
    /// [`CudaError::NoNvrtc`], [`CudaError::NoFunction`].
    pub fn open(folder: Option<&Path>) -> Result<Self> {
        let mut looked = Vec::new();
        let named = env::var_os("SAGETRAIN_NVRTC").filter(|name| !name.is_empty()).map(PathBuf::from);
        for folder in named.iter().map(PathBuf::as_path).chain(folder) {
            match open_in(folder) {
                Ok(library) => return Self::of(library),
                Err(error) => looked.push(format!("{}: {error}", folder.display())),
            }
        }
        match open_library(LIBRARY.into(), RTLD_LOCAL) {
            Ok(library) => Self::of(library),
            Err(error) => {
                looked.push(error.to_string());
                Err(CudaError::NoNvrtc { looked })
            }
        }
    }

    /// Major and minor, as in `13.0`.
    pub fn version(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }

    /// What to compile for: the device's own architecture, else the latest before it of the same generation, whose code it runs.
    ///
    /// # Errors
    /// [`CudaError::Architecture`] where there is neither.
    pub fn target(&self, architecture: u32) -> Result<u32> {
        let runs = |target: &&u32| **target / 10 == architecture / 10 && **target <= architecture;
        self.supported.iter().filter(runs).max().copied().ok_or_else(|| CudaError::Architecture {
            architecture,
            version: self.version(),
            supported: self.supported.clone(),
        })
    }

    /// Compiles one kernel for `sm_<architecture>`: about half a second of one core.
    ///
    /// # Errors
    /// [`CudaError::Compile`] with the log.
    pub fn compile(&self, program: &Program, architecture: u32) -> Result<Object> {
        let texts = HEADERS.map(|(_, text)| CString::new(text).unwrap_or_default());
        let names = HEADERS.map(|(name, _)| CString::new(name).unwrap_or_default());
        let (texts, names) =
            (texts.each_ref().map(|text| text.as_ptr()), names.each_ref().map(|name| name.as_ptr()));
        let source = CString::new(program.source.as_str()).unwrap_or_default();
        let name = CString::new(format!("{}.cu", program.name)).unwrap_or_default();
        let target = format!("--gpu-architecture=sm_{architecture}");
        let options = OPTIONS.iter().copied().chain([target.as_str()]);
        let options: Vec<CString> = options.filter_map(|option| CString::new(option).ok()).collect();
        let options: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let mut handle = Open { nvrtc: self, handle: ptr::null_mut() };
        let failed = |call, code, log| CudaError::Compile {
            call,
            program: program.name.clone(),
            architecture,
            code,
            log,
        };
        // SAFETY: strings and the arrays of pointers to them outlive the call, HEADERS.len() of each.
        let code = unsafe {
            let (texts, names) = (texts.as_ptr(), names.as_ptr());
            (self.create)(
                &mut handle.handle,
                source.as_ptr(),
                name.as_ptr(),
                HEADERS.len() as c_int,
                texts,
                names,
            )
        };
        if code != 0 {
            return Err(failed("nvrtcCreateProgram", code, String::new()));
        }
        // SAFETY: the program was made above; the options outlive the call.
        let code = unsafe { (self.compile)(handle.handle, options.len() as c_int, options.as_ptr()) };
        let log = text(handle.fetch(self.log).unwrap_or_default());
        if code != 0 {
            return Err(failed("nvrtcCompileProgram", code, log));
        }
        let ptx = handle.fetch(self.ptx).map_err(|code| failed("nvrtcGetPTX", code, log.clone()))?;
        let cubin = handle.fetch(self.cubin).map_err(|code| failed("nvrtcGetCUBIN", code, log.clone()))?;
        Ok(Object { cubin, ptx: text(ptx), log })
    }

    fn of(library: Library) -> Result<Self> {
        let mut version = (0, 0);
        type Version = unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int;
        let ask: Version = function(&library, "nvrtcVersion")?;
        // SAFETY: two places for a number each.
        unsafe { ask(&mut version.0, &mut version.1) };
        Ok(Self {
            create: function(&library, "nvrtcCreateProgram")?,
            destroy: function(&library, "nvrtcDestroyProgram")?,
            compile: function(&library, "nvrtcCompileProgram")?,
            log: (function(&library, "nvrtcGetProgramLogSize")?, function(&library, "nvrtcGetProgramLog")?),
            ptx: (function(&library, "nvrtcGetPTXSize")?, function(&library, "nvrtcGetPTX")?),
            cubin: (function(&library, "nvrtcGetCUBINSize")?, function(&library, "nvrtcGetCUBIN")?),
            version,
            supported: supported(&library)?,
            _library: library,
        })
    }
}

/// A program of NVRTC's, destroyed when dropped.
struct Open<'a> {
    nvrtc: &'a Nvrtc,
    handle: Handle,
}

impl Open<'_> {
    /// Log, PTX or CUBIN.
    fn fetch(&self, (size, fetch): (Size, Fetch)) -> std::result::Result<Vec<u8>, c_int> {
        let mut length = 0;
        // SAFETY: the program exists as long as self; a place for a number.
        let code = unsafe { size(self.handle, &mut length) };
        let mut bytes = vec![0u8; length];
        if code != 0 || length == 0 {
            return if code == 0 { Ok(bytes) } else { Err(code) };
        }
        // SAFETY: as many bytes as NVRTC asked for.
        let code = unsafe { fetch(self.handle, bytes.as_mut_ptr().cast()) };
        if code == 0 { Ok(bytes) } else { Err(code) }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            // SAFETY: made by nvrtcCreateProgram, and destroyed once.
            unsafe { (self.nvrtc.destroy)(&mut self.handle) };
        }
    }
}

/// The text up to its NUL.
fn text(bytes: Vec<u8>) -> String {
    CStr::from_bytes_until_nul(&bytes).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

/// NVRTC of a folder. It opens its built-in headers by their bare name, hence they are loaded first, for all to see.
fn open_in(folder: &Path) -> std::result::Result<Library, libloading::Error> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.file_name());
    let builtins = files.filter(|name| name.to_string_lossy().starts_with(BUILTINS));
    for name in builtins {
        if let Ok(library) = open_library(folder.join(name).into(), RTLD_GLOBAL) {
            // Never closed: NVRTC points into it.
            std::mem::forget(library);
        }
    }
    open_library(folder.join(LIBRARY).into(), RTLD_LOCAL)
}

fn open_library(name: OsString, scope: c_int) -> std::result::Result<Library, libloading::Error> {
    // SAFETY: the initialisers of NVIDIA's libraries have no preconditions.
    unsafe { Library::open(Some(name), RTLD_NOW | scope) }
}

/// A function of NVRTC's, which must be called by the signature of its header.
fn function<T: Copy>(library: &Library, name: &'static str) -> Result<T> {
    // SAFETY: T is the header's signature of that name; the pointer lives in a struct that owns the library.
    let symbol = unsafe { library.get::<T>(name) };
    symbol.map(|symbol| *symbol).map_err(|_| CudaError::NoFunction { library: LIBRARY, name })
}

fn supported(library: &Library) -> Result<Vec<u32>> {
    type Get = unsafe extern "C" fn(*mut c_int) -> c_int;
    let count: Get = function(library, "nvrtcGetNumSupportedArchs")?;
    let list: Get = function(library, "nvrtcGetSupportedArchs")?;
    let mut number = 0;
    // SAFETY: a place for a number.
    unsafe { count(&mut number) };
    let mut all = vec![0; usize::try_from(number).unwrap_or(0)];
    // SAFETY: as many places as NVRTC counted.
    unsafe { list(all.as_mut_ptr()) };
    Ok(all.into_iter().filter_map(|architecture| u32::try_from(architecture).ok()).collect())
}
