//! CUDA sources compiled by NVRTC for the device at hand when they are first needed, and launched on torch's current
//! stream (`csrc/torch_kernels.cpp`).
//!
//! Failures of a launch are raised as tch's operations raise theirs, for [`catch`](crate::device::catch()).
#![expect(unsafe_code, reason = "foreign functions")]

use std::{
    cell::RefCell,
    collections::HashMap,
    ffi::{CString, c_char, c_int, c_uint, c_void},
    path::Path,
    ptr::{self, NonNull},
    slice,
};

use tch::{Device, TchError, Tensor};

use super::{kept::KeptCode, variant::Variant};
use crate::device::{self, checked, cuda_index, raised};

unsafe extern "C" {
    fn fp_device_architecture(device: c_int, architecture: *mut c_int) -> c_int;
    fn fp_driver_version(version: *mut c_int) -> c_int;
    fn fp_compiler_version(major: *mut c_int, minor: *mut c_int) -> c_int;
    fn fp_compile(
        source: *const c_char,
        options: *const *const c_char,
        count: c_int,
        code: *mut *mut c_void,
        bytes: *mut usize,
    ) -> c_int;
    fn fp_free_code(code: *mut c_void);
    fn fp_load_kernel(
        device: c_int,
        code: *const c_void,
        name: *const c_char,
        kernel: *mut *mut c_void,
    ) -> c_int;
    fn fp_launch(
        device: c_int,
        kernel: *const c_void,
        grid: *const c_uint,
        threads: c_uint,
        shared_bytes: c_uint,
        arguments: *mut *mut c_void,
    ) -> c_int;
}

/// The kernels of one device, each compiled when it is first asked for.
#[derive(Debug)]
pub struct Kernels {
    /// `None` on the CPU.
    device: Option<c_int>,
    /// Where machine code outlives the process, if anywhere.
    kept: Option<KeptCode>,
    loaded: RefCell<HashMap<Variant, Option<Kernel>>>,
}

/// A kernel on its device. It stays loaded as long as the process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    device: c_int,
    handle: NonNull<c_void>,
}

/// What a kernel is given.
#[derive(Clone, Copy)]
pub(super) enum Argument<'a> {
    /// The first number of a tensor on the kernel's device.
    Tensor(&'a Tensor),
    /// A pointer to nothing.
    Null,
    /// A number.
    Int(i32),
    /// A real number.
    Double(f64),
    /// A struct of so many numbers.
    Ints([i32; 5]),
}

impl<'a> Argument<'a> {
    /// A pointer that may be one to nothing.
    pub(super) fn optional(tensor: Option<&'a Tensor>) -> Self {
        tensor.map_or(Self::Null, Self::Tensor)
    }
}

/// How many threads a kernel has.
pub(super) struct Launch {
    /// Blocks along x, y and z.
    pub(super) grid: [u32; 3],
    /// Threads of a block.
    pub(super) threads: u32,
    /// Shared memory of a block beside what the source declares.
    pub(super) shared_bytes: u32,
}

/// Why there is no machine code.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoCode {
    /// NVRTC is not there.
    #[error("NVRTC (libnvrtc.so.13) is not installed")]
    NoCompiler,
    /// NVRTC's messages.
    #[error("{0}")]
    Failed(String),
}

impl Kernels {
    /// The kernels of `device`; on the CPU there are none.
    pub fn new(device: Device) -> Self {
        Self {
            device: cuda_index(device),
            kept: None,
            loaded: RefCell::default(),
        }
    }

    /// The same, kept as machine code in `folder`, from where the next process has them.
    pub fn kept_in(device: Device, folder: &Path) -> Self {
        let mut kernels = Self::new(device);
        if kernels.device.is_some()
            && let Some(compiler) = compiler_version()
        {
            let driver = device::driver_version(device).unwrap_or_else(driver_interface);
            kernels.kept = Some(KeptCode::new(folder, &compiler, &driver));
        }
        kernels
    }

    /// Whether any can be compiled.
    pub(crate) fn have_compiler() -> bool {
        compiler_version().is_some()
    }

    /// No kernels: torch's operations compute.
    pub(super) fn none() -> Self {
        Self::new(Device::Cpu)
    }

    /// Whether all that were asked for could be had, and there were any.
    pub(super) fn are_loaded(&self) -> bool {
        let loaded = self.loaded.borrow();
        !loaded.is_empty() && loaded.values().all(Option::is_some)
    }

    /// The kernel, unless the device has none: then torch's operations do its work.
    pub(super) fn get(&self, variant: &Variant) -> Option<Kernel> {
        let device = self.device?;
        if let Some(known) = self.loaded.borrow().get(variant) {
            return *known;
        }
        // A device that fails, or has no memory left for the code, may have it the next time.
        let kernel = raised(Kernel::load(device, variant, self.kept.as_ref()));
        self.loaded.borrow_mut().insert(variant.clone(), kernel);
        kernel
    }
}

impl Kernel {
    fn load(
        device: c_int,
        variant: &Variant,
        kept: Option<&KeptCode>,
    ) -> Result<Option<Self>, TchError> {
        let architecture = architecture_of(device)?;
        if let Some(code) = kept.and_then(|kept| kept.read(variant, architecture)) {
            match Self::load_code(device, variant, &code) {
                Ok(kernel) => return Ok(Some(kernel)),
                Err(error) => {
                    tracing::warn!(%error, "a kept kernel can't be loaded and is compiled again");
                }
            }
        }
        let code = match compile(variant, architecture) {
            Ok(code) => code,
            Err(error) => {
                tracing::warn!(name = ?variant.name, %error, "a kernel can't be had: torch's operations do its work");
                return Ok(None);
            }
        };
        tracing::debug!(name = ?variant.name, definitions = ?variant.definitions, bytes = code.len(), "kernel compiled");
        let kernel = Self::load_code(device, variant, &code)?;
        if let Some(kept) = kept {
            kept.write(variant, architecture, &code);
        }
        Ok(Some(kernel))
    }

    fn load_code(device: c_int, variant: &Variant, code: &[u8]) -> Result<Self, TchError> {
        let mut handle = ptr::null_mut();
        // SAFETY: the code is complete, CUDA copies it, the name is terminated, and the pointer is written only by the call.
        checked(unsafe {
            fp_load_kernel(
                device,
                code.as_ptr().cast(),
                variant.name.as_ptr(),
                &raw mut handle,
            )
        })?;
        let handle = NonNull::new(handle).expect("a call that succeeds finds the kernel");
        Ok(Self { device, handle })
    }

    /// Gives the kernel to torch's current stream. The arguments are those of its source, in order; only the files beside
    /// the sources call this, and each passes the sizes that keep its source within the tensors.
    ///
    /// # Panics
    /// If a tensor is not contiguous or not on the kernel's device.
    pub(super) fn launch(self, launch: &Launch, arguments: &[Argument<'_>]) {
        for argument in arguments {
            if let Argument::Tensor(tensor) = argument {
                assert!(tensor.is_contiguous(), "kernels take contiguous tensors");
                assert_eq!(cuda_index(tensor.device()), Some(self.device));
            }
        }
        let mut values: Vec<Value> = arguments.iter().map(Value::of).collect();
        let mut pointers: Vec<*mut c_void> = values.iter_mut().map(Value::pointer).collect();
        // SAFETY: each argument is a pointer to its value, which lives through the call; CUDA copies the values. The
        // tensors live until the stream is past the kernel: torch hands their memory out again on this stream only. The
        // kernel stays within them by the sizes that it is given.
        raised(checked(unsafe {
            fp_launch(
                self.device,
                self.handle.as_ptr(),
                launch.grid.as_ptr(),
                launch.threads,
                launch.shared_bytes,
                pointers.as_mut_ptr(),
            )
        }));
    }
}

/// An argument's value as CUDA reads it.
enum Value {
    Pointer(*mut c_void),
    Int(i32),
    Double(f64),
    Ints([i32; 5]),
}

impl Value {
    fn of(argument: &Argument<'_>) -> Self {
        match argument {
            Argument::Tensor(tensor) => Self::Pointer(tensor.data_ptr()),
            Argument::Null => Self::Pointer(ptr::null_mut()),
            Argument::Int(number) => Self::Int(*number),
            Argument::Double(number) => Self::Double(*number),
            Argument::Ints(numbers) => Self::Ints(*numbers),
        }
    }

    fn pointer(&mut self) -> *mut c_void {
        match self {
            Self::Pointer(pointer) => (&raw mut *pointer).cast(),
            Self::Int(number) => (&raw mut *number).cast(),
            Self::Double(number) => (&raw mut *number).cast(),
            Self::Ints(numbers) => numbers.as_mut_ptr().cast(),
        }
    }
}

/// The architecture of a device, as in 90; `None` for the CPU.
pub(super) fn architecture(device: Device) -> Option<c_int> {
    Some(raised(architecture_of(cuda_index(device)?)))
}

fn architecture_of(device: c_int) -> Result<c_int, TchError> {
    let mut architecture = 0;
    // SAFETY: the pointer is valid for the call and is written only by it.
    checked(unsafe { fp_device_architecture(device, &raw mut architecture) })?;
    Ok(architecture)
}

/// Version of CUDA that the driver has, where its own is not told, as in WSL.
fn driver_interface() -> String {
    let mut version = 0;
    // SAFETY: the pointer is valid for the call and is written only by it.
    raised(checked(unsafe { fp_driver_version(&raw mut version) }));
    format!("CUDA {version}")
}

/// NVRTC's version; `None` if it is not installed.
pub(super) fn compiler_version() -> Option<String> {
    let (mut major, mut minor) = (0, 0);
    // SAFETY: the pointers are valid for the call and are written only by it.
    let status = unsafe { fp_compiler_version(&raw mut major, &raw mut minor) };
    (status == 0).then(|| format!("{major}.{minor}"))
}

/// Machine code for an architecture, as in 90; needs no device.
pub(super) fn compile(variant: &Variant, architecture: c_int) -> Result<Vec<u8>, NoCode> {
    let options: Vec<CString> = variant
        .options(architecture)
        .into_iter()
        .map(|option| CString::new(option).expect("options have no zero"))
        .collect();
    let pointers: Vec<_> = options.iter().map(|text| text.as_ptr()).collect();
    let (mut data, mut bytes) = (ptr::null_mut(), 0);
    // SAFETY: all strings are terminated and live through the call; the two pointers are written only by it.
    let status = unsafe {
        fp_compile(
            variant.source.as_ptr(),
            pointers.as_ptr(),
            pointers.len() as c_int,
            &raw mut data,
            &raw mut bytes,
        )
    };
    if status == 1 {
        return Err(NoCode::NoCompiler);
    }
    match checked(status) {
        Err(TchError::Torch(reason)) => Err(NoCode::Failed(reason)),
        Err(error) => Err(NoCode::Failed(error.to_string())),
        Ok(()) => {
            // SAFETY: a call that succeeds has made so many bytes, which nobody else has.
            let code = unsafe { slice::from_raw_parts(data.cast::<u8>(), bytes) }.to_vec();
            // SAFETY: made by `fp_compile`, and nobody has the pointer after this.
            unsafe { fp_free_code(data) };
            Ok(code)
        }
    }
}

/// Compiles for each architecture that the project has in mind.
#[cfg(test)]
pub(super) fn compile_everywhere(variant: &Variant) {
    for architecture in [80, 86, 89, 90, 120] {
        match compile(variant, architecture) {
            Ok(code) => assert!(code.len() > 1000, "{variant:?} for sm_{architecture}"),
            Err(error) => panic!("{variant:?} for sm_{architecture}: {error:?}"),
        }
    }
}
