//! The CUDA driver, opened at run time.
#![allow(unsafe_code, reason = "calls a C library by its header's signatures")]

use crate::cuda::{CudaError, Result};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr;

const LIBRARY: &str = "libcuda.so.1";

/// An architecture: 90 for sm_90.
pub type Architecture = u32;

// CUdevice_attribute
const MULTIPROCESSORS: c_int = 16;
const MAJOR: c_int = 75;
const MINOR: c_int = 76;

/// A kernel that is loaded into a context. It stays loaded as long as that lives.
#[derive(Clone, Copy, Debug)]
pub struct Function(*mut c_void);

// SAFETY: a handle; the driver's functions may be called with it from any thread.
unsafe impl Send for Function {}

macro_rules! functions {
    ($($field:ident: $symbol:literal ($($argument:ty),*);)*) => {
        /// The driver's functions, by the signatures of cuda.h.
        #[derive(Debug)]
        struct Functions {
            $($field: unsafe extern "C" fn($($argument),*) -> c_int,)*
            _library: Library,
        }

        impl Functions {
            fn of(library: Library) -> Result<Self> {
                Ok(Self { $($field: function(&library, $symbol)?,)* _library: library })
            }
        }
    };
}

functions! {
    init: "cuInit" (c_uint);
    error_name: "cuGetErrorName" (c_int, *mut *const c_char);
    device: "cuDeviceGet" (*mut c_int, c_int);
    attribute: "cuDeviceGetAttribute" (*mut c_int, c_int, c_int);
    retain: "cuDevicePrimaryCtxRetain" (*mut *mut c_void, c_int);
    set_current: "cuCtxSetCurrent" (*mut c_void);
    current: "cuCtxGetCurrent" (*mut *mut c_void);
    current_device: "cuCtxGetDevice" (*mut c_int);
    synchronize: "cuCtxSynchronize" ();
    load: "cuModuleLoadData" (*mut *mut c_void, *const c_void);
    get: "cuModuleGetFunction" (*mut *mut c_void, *mut c_void, *const c_char);
    launch: "cuLaunchKernel" (*mut c_void, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, *mut c_void, *mut *mut c_void, *mut *mut c_void);
    allocate: "cuMemAlloc_v2" (*mut u64, usize);
    free: "cuMemFree_v2" (u64);
    upload: "cuMemcpyHtoD_v2" (u64, *const c_void, usize);
    download: "cuMemcpyDtoH_v2" (*mut c_void, u64, usize);
}

/// The driver. Its calls act on the calling thread's current context: inside a session libtorch's, elsewhere see [`Driver::use_device`].
#[derive(Debug)]
pub struct Driver(Functions);

impl Driver {
    /// Opens the driver.
    ///
    /// # Errors
    /// [`CudaError::NoDriver`] on a machine without a GPU.
    pub fn open() -> Result<Self> {
        // SAFETY: the initialisers of the driver have no preconditions.
        let library = unsafe { Library::open(Some(LIBRARY), RTLD_NOW | RTLD_LOCAL) };
        let driver = Self(Functions::of(
            library.map_err(|error| CudaError::NoDriver { message: error.to_string() })?,
        )?);
        // SAFETY: takes no pointer.
        driver.check("cuInit", unsafe { (driver.0.init)(0) })?;
        Ok(driver)
    }

    /// Makes the primary context of a device, numbered from 0, the calling thread's. It is kept as long as the process lives.
    ///
    /// # Errors
    /// [`CudaError::Driver`]; so do all that follow.
    pub fn use_device(&self, number: u32) -> Result<()> {
        let (mut device, mut context) = (0, ptr::null_mut());
        // SAFETY: a place for a number.
        self.check("cuDeviceGet", unsafe { (self.0.device)(&mut device, number as c_int) })?;
        // SAFETY: a place for a handle.
        self.check("cuDevicePrimaryCtxRetain", unsafe { (self.0.retain)(&mut context, device) })?;
        // SAFETY: the context was made above.
        self.check("cuCtxSetCurrent", unsafe { (self.0.set_current)(context) })
    }

    /// The current context's address, by which one is told from another.
    pub fn context(&self) -> Result<u64> {
        let mut context = ptr::null_mut();
        // SAFETY: a place for a handle.
        self.check("cuCtxGetCurrent", unsafe { (self.0.current)(&mut context) })?;
        Ok(context as u64)
    }

    /// The architecture of the current device.
    pub fn architecture(&self) -> Result<Architecture> {
        Ok(self.attribute(MAJOR)? * 10 + self.attribute(MINOR)?)
    }

    /// How many multiprocessors the current device has.
    pub fn multiprocessors(&self) -> Result<u32> {
        self.attribute(MULTIPROCESSORS)
    }

    /// Loads a kernel into the current context.
    pub fn load(&self, cubin: &[u8], name: &str) -> Result<Function> {
        let (mut module, mut function) = (ptr::null_mut(), ptr::null_mut());
        let name = CString::new(name).unwrap_or_default();
        // SAFETY: a whole CUBIN, whose length is in its header; the driver copies it.
        self.check("cuModuleLoadData", unsafe { (self.0.load)(&mut module, cubin.as_ptr().cast()) })?;
        // SAFETY: the module was loaded above; the name outlives the call.
        self.check("cuModuleGetFunction", unsafe { (self.0.get)(&mut function, module, name.as_ptr()) })?;
        Ok(Function(function))
    }

    /// Queues `blocks` blocks of `threads` threads on a stream of the current context (0: the default one). The parameter is
    /// copied before the call returns.
    ///
    /// # Safety
    /// The kernel's one parameter is of type `P`, and all addresses in it are good until the kernel has run.
    pub unsafe fn launch<P>(
        &self,
        function: Function,
        stream: u64,
        blocks: u32,
        threads: u32,
        parameter: &P,
    ) -> Result<()> {
        let mut parameters = [ptr::from_ref(parameter).cast_mut().cast::<c_void>()];
        // SAFETY: by the caller's word; the driver reads the parameter and writes nothing.
        let code = unsafe {
            let (stream, parameters) = (stream as *mut c_void, parameters.as_mut_ptr());
            (self.0.launch)(function.0, blocks, 1, 1, threads, 1, 1, 0, stream, parameters, ptr::null_mut())
        };
        self.check("cuLaunchKernel", code)
    }

    /// Waits until the current context has nothing more to do.
    pub fn synchronize(&self) -> Result<()> {
        // SAFETY: takes no pointer.
        self.check("cuCtxSynchronize", unsafe { (self.0.synchronize)() })
    }

    /// An address of `bytes` bytes on the device, a multiple of 256.
    pub fn allocate(&self, bytes: usize) -> Result<u64> {
        let mut address = 0;
        // SAFETY: a place for an address.
        self.check("cuMemAlloc", unsafe { (self.0.allocate)(&mut address, bytes) })?;
        Ok(address)
    }

    /// Gives memory back.
    ///
    /// # Safety
    /// `address` came from [`Driver::allocate`], and no kernel that uses it is still to run.
    pub unsafe fn free(&self, address: u64) -> Result<()> {
        // SAFETY: by the caller's word.
        self.check("cuMemFree", unsafe { (self.0.free)(address) })
    }

    /// Copies to the device.
    ///
    /// # Safety
    /// As many bytes are allocated at `to`.
    pub unsafe fn upload(&self, to: u64, from: &[u8]) -> Result<()> {
        // SAFETY: by the caller's word.
        self.check("cuMemcpyHtoD", unsafe { (self.0.upload)(to, from.as_ptr().cast(), from.len()) })
    }

    /// Copies from the device, after all that is queued on the default stream.
    ///
    /// # Safety
    /// As many bytes are allocated at `from`.
    pub unsafe fn download(&self, to: &mut [u8], from: u64) -> Result<()> {
        // SAFETY: by the caller's word.
        self.check("cuMemcpyDtoH", unsafe { (self.0.download)(to.as_mut_ptr().cast(), from, to.len()) })
    }

    fn attribute(&self, attribute: c_int) -> Result<u32> {
        let (mut device, mut value) = (0, 0);
        // SAFETY: a place for a number.
        self.check("cuCtxGetDevice", unsafe { (self.0.current_device)(&mut device) })?;
        // SAFETY: a place for a number.
        self.check("cuDeviceGetAttribute", unsafe { (self.0.attribute)(&mut value, attribute, device) })?;
        Ok(value as u32)
    }

    fn check(&self, call: &'static str, code: c_int) -> Result<()> {
        if code == 0 {
            return Ok(());
        }
        let mut name = ptr::null();
        // SAFETY: a place for a pointer to a string that is never freed.
        let known = unsafe { (self.0.error_name)(code, &mut name) } == 0 && !name.is_null();
        if !known {
            return Err(CudaError::Driver { call, code, name: "unknown".to_owned() });
        }
        // SAFETY: the driver's own NUL-terminated string.
        let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
        Err(CudaError::Driver { call, code, name })
    }
}

/// A function of the driver's, which must be called by the signature of its header.
fn function<T: Copy>(library: &Library, name: &'static str) -> Result<T> {
    // SAFETY: T is the header's signature of that name; the pointer lives in a struct that owns the library.
    let symbol = unsafe { library.get::<T>(name) };
    symbol.map(|symbol| *symbol).map_err(|_| CudaError::NoFunction { library: LIBRARY, name })
}
