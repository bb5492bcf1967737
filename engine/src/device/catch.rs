//! The one boundary between torch's panics and typed errors.
//!
//! Model code calls tch's panicking operations, so that it reads as formulas. Whoever runs a phase (a load,
//! a forward, a decode) wraps it in [`catch`].

use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind},
};

use super::shortage::shortage;
use crate::error::Error;

/// Runs `f`; a panic becomes an [`Error`]: torch's by its message, one of ours with its place.
///
/// After [`Error::Device`] the process can't use the device any more and has to exit. After
/// [`Error::OutOfMemory`] it can, once what `f` held is dropped.
pub fn catch<T>(f: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let outer = CATCHING.replace(true);
    // Unwind safety: weights are immutable, and callers drop what the phase was building.
    let result = catch_unwind(AssertUnwindSafe(f));
    CATCHING.set(outer);
    result.unwrap_or_else(|panic| Err(error_of(panic)))
}

/// Ends the phase with an error from within model code, which returns tensors and not results.
pub(crate) fn raise(error: Error) -> ! {
    resume_unwind(Box::new(error))
}

thread_local! {
    /// Whether this thread is inside [`catch`], where a panic of torch is an error that its caller reports.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// Where this thread panicked last; known once [`log_panics`] was called.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Sends panics to the log: torch's that [`catch`] turns into errors as details, others as errors.
pub fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        PLACE.set(panic.location().map(ToString::to_string));
        if CATCHING.get() && panic.payload_as_str().is_some_and(is_of_torch) {
            tracing::debug!("{panic}");
        } else {
            tracing::error!("{panic}");
        }
    }));
}

fn error_of(panic: Box<dyn Any + Send>) -> Error {
    let panic = match panic.downcast::<Error>() {
        Ok(raised) => return *raised,
        Err(panic) => panic,
    };
    let message = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(message), _) => message.as_str(),
        (_, Some(message)) => message,
        _ => resume_unwind(panic),
    };
    if is_of_torch(message) {
        return classify(message);
    }
    Error::Internal {
        place: PLACE.take().unwrap_or_else(|| "an unknown place".into()),
        message: message.into(),
    }
}

/// Whether a panic was raised by an operation of tch, whose unwrapped errors show as `Torch("...")`.
fn is_of_torch(panic_message: &str) -> bool {
    panic_message.contains("Torch(\"")
}

/// How failures of the device and its libraries begin.
const DEVICE_FAILURE: [&str; 5] = [
    "CUDA error",
    "CUDA driver error",
    "CUBLAS_STATUS",
    "cuDNN error",
    "CUDNN_STATUS",
];

/// How torch's backtraces begin: most of them, and that of the CPU's allocator.
const BACKTRACE: [&str; 2] = ["\nException raised from", "\nframe #0:"];

/// Sorts a message of torch.
fn classify(panic_message: &str) -> Error {
    let message = own_words(panic_message);
    let has = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    if let Some(shortage) = shortage(&message) {
        tracing::debug!(message, "torch ran out of memory");
        shortage.into()
    } else if has(&DEVICE_FAILURE) {
        Error::Device { message }
    } else {
        Error::Torch { message }
    }
}

/// Torch's own words: without Rust's frame around an unwrapped error and without the C++ backtrace.
fn own_words(panic_message: &str) -> String {
    let message = match panic_message.split_once("Torch(\"") {
        Some((_, debug)) => debug
            .trim_end_matches("\")")
            .replace("\\n", "\n")
            .replace("\\\"", "\""),
        None => panic_message.into(),
    };
    let end = BACKTRACE.iter().filter_map(|mark| message.find(mark)).min();
    message[..end.unwrap_or(message.len())].trim().to_owned()
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
        assert!(message.starts_with("mat1 and mat2"), "{message}");
        assert!(message.ends_with("(2x2 and 3x3)"), "{message}");
    }

    #[test]
    fn an_allocation_that_cannot_succeed_is_out_of_memory() {
        let error = caught(|| Tensor::empty([1 << 50], (Kind::Float, Device::Cpu)));
        assert_eq!(error.failure().code, "FP5016");
        assert_eq!(
            error.to_string(),
            "out of host memory: 4194304.00 GiB were asked for"
        );
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
    fn a_panic_of_ours_is_an_internal_error_and_not_torchs() {
        let error = catch::<()>(|| panic!("out of memory of what was promised")).unwrap_err();
        let Error::Internal { message, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(message, "out of memory of what was promised");
        assert_eq!(error.failure().code, "FP5006");
    }

    #[test]
    fn an_error_that_model_code_raises_is_the_phases() {
        let raised = catch::<()>(|| raise(Error::Cancelled));
        assert!(matches!(raised, Err(Error::Cancelled)));
    }

    #[test]
    fn errors_of_the_phase_itself_pass_through() {
        assert!(matches!(
            catch::<()>(|| Err(Error::Cancelled)),
            Err(Error::Cancelled)
        ));
    }
}
