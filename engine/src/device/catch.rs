//! The one boundary between torch's panics and typed errors.
//!
//! Model code calls tch's panicking operations, so that it reads as formulas. Whoever runs a phase (a load,
//! a forward, a decode) wraps it in [`catch`].

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use crate::error::Error;

/// Runs `f`; a panic that carries torch's message becomes an [`Error`].
///
/// After [`Error::Device`] the process can't use the device any more and has to exit. After
/// [`Error::OutOfMemory`] it can, once what `f` held is dropped.
pub fn catch<T>(f: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // Unwind safety: weights are immutable, and callers drop what the phase was building.
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| Err(torch_error(panic)))
}

fn torch_error(panic: Box<dyn Any + Send>) -> Error {
    let message = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(message), _) => message.as_str(),
        (_, Some(message)) => message,
        _ => resume_unwind(panic),
    };
    classify(message)
}

/// Sorts a message of torch; only its own part is kept, without the C++ backtrace.
fn classify(message: &str) -> Error {
    let first = message
        .split("\nException raised from")
        .next()
        .unwrap_or(message);
    let first = first.trim_start_matches("called `Result::unwrap()` on an `Err` value: Torch(\"");
    let text = first
        .split("\\nException raised from")
        .next()
        .unwrap_or(first)
        .trim()
        .to_owned();
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if has(&[
        "out of memory",
        "can't allocate memory",
        "CUBLAS_STATUS_ALLOC_FAILED",
    ]) {
        Error::OutOfMemory { message: text }
    } else if has(&[
        "CUDA error",
        "CUDA driver error",
        "CUBLAS_STATUS",
        "cuDNN error",
        "CUDNN_STATUS",
    ]) {
        Error::Device { message: text }
    } else {
        Error::Torch { message: text }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    fn caught(f: impl FnOnce() -> Tensor) -> Error {
        catch(|| Ok(f())).unwrap_err()
    }

    #[test]
    fn an_impossible_operation_is_a_torch_error_with_its_message() {
        let zeros = |n| Tensor::zeros([n, n], (Kind::Float, Device::Cpu));
        let error = caught(|| zeros(2).matmul(&zeros(3)));
        let Error::Torch { message } = error else {
            panic!("{error:?}")
        };
        assert!(message.contains("shapes cannot be multiplied"), "{message}");
        assert!(!message.contains("frame #"), "{message}");
    }

    #[test]
    fn an_allocation_that_cannot_succeed_is_out_of_memory() {
        let error = caught(|| Tensor::empty([1 << 50], (Kind::Float, Device::Cpu)));
        assert!(matches!(error, Error::OutOfMemory { .. }), "{error:?}");
    }

    #[test]
    fn cuda_messages_are_told_apart() {
        let oom = "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.10 GiB";
        assert!(matches!(classify(oom), Error::OutOfMemory { .. }));
        let fault =
            "CUDA error: an illegal memory access was encountered\nException raised from foo";
        let Error::Device { message } = classify(fault) else {
            panic!("not a device error")
        };
        assert_eq!(
            message,
            "CUDA error: an illegal memory access was encountered"
        );
    }

    #[test]
    fn errors_of_the_phase_itself_pass_through() {
        assert!(matches!(
            catch::<()>(|| Err(Error::Cancelled)),
            Err(Error::Cancelled)
        ));
    }
}
