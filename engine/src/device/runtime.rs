//! Loading of libtorch's CUDA half, and the choice of a device.

use std::{env, sync::OnceLock};

use tch::{Cuda, Device};

use super::shim::{self, CudaLibrary};
use crate::error::Error;

/// Loads libtorch's CUDA half where it is installed beside the CPU half. The binary itself links only the CPU
/// half, so that it starts anywhere. The first call decides; [`open`] makes it.
pub fn init() {
    cuda_library();
}

fn cuda_library() -> &'static CudaLibrary {
    static LIBRARY: OnceLock<CudaLibrary> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        configure_allocator();
        let library = shim::load_cuda();
        tracing::debug!(
            ?library,
            devices = Cuda::device_count(),
            "looked for libtorch_cuda"
        );
        library
    })
}

/// Lets torch's allocator grow its segments in place, unless the user has configured it. Blocks of weights,
/// hundreds of megabytes each, lie beside activations of all sizes: in segments of fixed sizes the gaps between
/// them stay reserved, and a plan that counts bytes in use would run out of memory.
///
/// Goes before loading the CUDA half, whose allocator reads the option with its first allocation.
fn configure_allocator() {
    const USERS: [&str; 2] = ["PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"];
    if USERS.iter().any(|name| env::var_os(name).is_some()) {
        return;
    }
    if let Err(error) = shim::set_allocator_options(c"expandable_segments:True") {
        tracing::warn!("torch's allocator can't use expandable segments: {error}");
    }
}

/// The device called `cpu`, `cuda` (the first) or `cuda:N`, if it is there.
pub fn open(name: &str) -> Result<Device, Error> {
    let library = cuda_library();
    let no_device = |reason: String| Error::NoDevice {
        name: name.into(),
        reason,
    };
    let index = match name.split_once(':') {
        None if name == "cpu" => return Ok(Device::Cpu),
        None if name == "cuda" => 0,
        Some(("cuda", index)) => index
            .parse()
            .map_err(|_| no_device(format!("{index:?} is not a number")))?,
        _ => return Err(no_device("expected cpu or cuda:N".into())),
    };
    let count = usize::try_from(Cuda::device_count()).unwrap_or(0);
    if index < count {
        return Ok(Device::Cuda(index));
    }
    Err(no_device(match library {
        CudaLibrary::Loaded => format!("the driver reports {count} CUDA devices"),
        CudaLibrary::Absent => "this libtorch has no CUDA support".into(),
        CudaLibrary::Broken { reason } => {
            format!("libtorch's CUDA libraries do not load: {reason}")
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_cpu_or_cuda_with_a_number() {
        assert_eq!(open("cpu").unwrap(), Device::Cpu);
        for name in ["gpu", "cuda:x", "cuda:-1", "cuda:99", "cpu:0", ""] {
            let error = open(name).unwrap_err().to_string();
            assert!(error.contains(&format!("{name:?}")), "{error}");
        }
    }
}
