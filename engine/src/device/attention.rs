//! Scaled dot-product attention by a kernel of the caller's choice, where torch would choose by itself.
#![expect(unsafe_code, reason = "foreign functions")]

use std::{
    ffi::{c_int, c_void},
    ptr,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use tch::{TchError, Tensor};
use torch_sys::C_tensor;

use super::shim::{checked, raised};

unsafe extern "C" {
    fn fp_cudnn_attention(
        q: *const c_void,
        k: *const c_void,
        v: *const c_void,
        output: *mut *mut c_void,
        logarithms: *mut *mut c_void,
    ) -> c_int;
    fn fp_attention(
        kernel: c_int,
        q: *const c_void,
        k: *const c_void,
        v: *const c_void,
        mask: *const c_void,
        output: *mut *mut c_void,
    ) -> c_int;
    safe fn fp_set_attention_kernels(cudnn: c_int, flash: c_int, memory_efficient: c_int) -> c_int;
}

/// Torch has one set of switches for all threads of a process. A thread that turns them holds this alone, as long as it
/// wants them turned; a thread that lets torch choose shares it.
static SWITCHES: RwLock<Switches> = RwLock::new(Switches {
    permitted: PermittedKernels::ALL,
    has_preferred: true,
});

/// What is switched on.
#[derive(Debug, Clone, Copy)]
struct Switches {
    permitted: PermittedKernels,
    /// Whether torch may choose what it prefers.
    has_preferred: bool,
}

impl Switches {
    /// Changes them, for torch's choice too.
    fn set(change: impl FnOnce(&mut Self)) {
        let mut switches = Self::alone();
        change(&mut switches);
        let Self {
            permitted,
            has_preferred,
        } = *switches;
        raised(checked(fp_set_attention_kernels(
            has_preferred.into(),
            (has_preferred && permitted.flash).into(),
            permitted.memory_efficient.into(),
        )));
    }

    /// For a thread that shares them. A panic leaves nothing half done behind the lock.
    fn shared() -> RwLockReadGuard<'static, Self> {
        SWITCHES.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a thread that turns them.
    fn alone() -> RwLockWriteGuard<'static, Self> {
        SWITCHES.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Kernels that this process may use at all, among those that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermittedKernels {
    /// `FlashAttention`, and torch's own kernel for the CPU.
    pub flash: bool,
    /// xformers' kernel.
    pub memory_efficient: bool,
}

impl PermittedKernels {
    /// All.
    pub const ALL: Self = Self {
        flash: true,
        memory_efficient: true,
    };

    /// Those of this process.
    pub(crate) fn now() -> Self {
        Switches::shared().permitted
    }

    /// From now on this process uses no others, for torch's own choice neither.
    pub fn enforce(self) {
        Switches::set(|switches| switches.permitted = self);
    }

    /// Whether this one is among them.
    pub(crate) fn has(self, kernel: AttentionKernel) -> bool {
        match kernel {
            AttentionKernel::Flash => self.flash,
            AttentionKernel::MemoryEfficient => self.memory_efficient,
            AttentionKernel::Cudnn | AttentionKernel::Math => true,
        }
    }

    /// Names of those that are not.
    pub(crate) fn missing(self) -> Vec<&'static str> {
        let kernels = [
            (self.flash, "flash"),
            (self.memory_efficient, "memory-efficient"),
        ];
        let missing = kernels.into_iter().filter(|(is_there, _)| !is_there);
        missing.map(|(_, name)| name).collect()
    }
}

/// Attention by cuDNN of (B, H, L, D), and the logarithm of each query's sum of exponentials, (B, H, Lq, 1) f32.
///
/// # Panics
/// With torch's message, as all model code: also where [`AttentionKernel::attention`] has none.
pub(crate) fn cudnn_attention(operands: [&Tensor; 3]) -> [Tensor; 2] {
    let [q, k, v] = operands.map(|tensor| tensor.as_ptr().cast::<c_void>());
    let (mut output, mut logarithms) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the tensors live through the call; the two pointers are valid for it and are written only by it.
    raised(checked(unsafe {
        fp_cudnn_attention(q, k, v, &raw mut output, &raw mut logarithms)
    }));
    // SAFETY: a call that succeeds has made two tensors, which nobody else has.
    [output, logarithms].map(|made| unsafe { Tensor::from_ptr(made.cast::<C_tensor>()) })
}

/// Names of the kernels that torch may not choose now.
pub(crate) fn not_torchs_choice() -> Vec<&'static str> {
    let Switches {
        permitted,
        has_preferred,
    } = *Switches::shared();
    let preferred = if has_preferred {
        None
    } else {
        Some("preferred")
    };
    permitted.missing().into_iter().chain(preferred).collect()
}

/// Computes an attention for which torch chooses the kernel.
pub(crate) fn by_torchs_choice<T>(attention: impl FnOnce() -> T) -> T {
    let _shared = Switches::shared();
    attention()
}

/// While it lives, torch computes attention without the kernels that it prefers, cuDNN's and `FlashAttention`: with
/// xformers' on CUDA, and as two products of matrices on the CPU. For this process, as torch has one setting.
#[derive(Debug)]
pub(crate) struct OtherKernels(());

impl OtherKernels {
    pub(crate) fn new() -> Self {
        Switches::set(|switches| switches.has_preferred = false);
        Self(())
    }
}

impl Drop for OtherKernels {
    fn drop(&mut self) {
        Switches::set(|switches| switches.has_preferred = true);
    }
}

/// Torch's implementations. Which of them take given tensors depends on device, type, mask and head size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttentionKernel {
    /// cuDNN's fused kernel: CUDA, half precision.
    Cudnn = 0,
    /// FlashAttention-2: CUDA in half precision, no mask; on the CPU torch's own in any precision.
    Flash = 1,
    /// xformers' kernel: CUDA.
    MemoryEfficient = 2,
    /// Two matrix products with a softmax between them: everywhere, and with memory for all pairs of tokens.
    Math = 3,
}

impl AttentionKernel {
    /// `softmax(q kᵀ / √D) v` over (B, H, L, D); `mask`, broadcast to (B, H, Lq, Lk), as in
    /// [`nn::attention`](crate::nn::attention()). Without gradients.
    ///
    /// `None` if this kernel does not take these tensors, is switched off, or the device has none. Other failures are
    /// raised as tch's operations raise theirs.
    pub(crate) fn attention(
        self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        mask: Option<&Tensor>,
    ) -> Option<Tensor> {
        let mask = mask.map_or(ptr::null(), |mask| mask.as_ptr().cast());
        let mut output = ptr::null_mut();
        let alone = Switches::alone();
        if !alone.permitted.has(self) {
            return None;
        }
        // SAFETY: the tensors live through the call; the pointer is valid for it and is written only by it.
        let called = checked(unsafe {
            fp_attention(
                self as c_int,
                q.as_ptr().cast(),
                k.as_ptr().cast(),
                v.as_ptr().cast(),
                mask,
                &raw mut output,
            )
        });
        drop(alone);
        if called.as_ref().is_err_and(is_refusal) {
            return None;
        }
        raised(called);
        // SAFETY: a new tensor, of which nobody else has the pointer.
        Some(unsafe { Tensor::from_ptr(output.cast::<C_tensor>()) })
    }
}

/// Whether torch found nothing to choose from: its words on CUDA and on the CPU.
fn is_refusal(error: &TchError) -> bool {
    const REFUSALS: [&str; 2] = ["No available kernel", "No viable backend"];
    matches!(error, TchError::Torch(message) if REFUSALS.iter().any(|words| message.contains(words)))
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::{device::catch, error::Error};

    fn operands() -> [Tensor; 3] {
        let waves = |step: f64| {
            let angles = Tensor::arange(2 * 7 * 16, (Kind::Float, Device::Cpu)) * step;
            angles.sin().view([1, 2, 7, 16])
        };
        [waves(0.37), waves(0.53), waves(0.71)]
    }

    /// The formula, in f64.
    fn by_hand([q, k, v]: &[Tensor; 3], mask: Option<&Tensor>) -> Tensor {
        let [q, k, v] = [q, k, v].map(|t| t.to_kind(Kind::Double));
        let mut scores = q.matmul(&k.transpose(-2, -1)) / 4.0;
        if let Some(mask) = mask {
            scores = scores.masked_fill(&mask.logical_not(), f64::NEG_INFINITY);
        }
        scores.softmax(-1, Kind::Double).matmul(&v)
    }

    #[test]
    fn kernels_of_the_cpu_compute_the_formula() {
        let operands = operands();
        let [q, k, v] = &operands;
        let mask =
            Tensor::from_slice(&[true, true, false, true, true, false, true]).view([1, 1, 1, 7]);
        for kernel in [AttentionKernel::Flash, AttentionKernel::Math] {
            for mask in [None, Some(&mask)] {
                let found = kernel.attention(q, k, v, mask).unwrap();
                let error = (found.to_kind(Kind::Double) - by_hand(&operands, mask))
                    .abs()
                    .max()
                    .double_value(&[]);
                assert!(error < 1e-5, "{kernel:?}: {error}");
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_an_error() {
        let [q, k, _] = operands();
        let wrong = Tensor::zeros([1, 2, 3, 16], (Kind::Float, Device::Cpu));
        let error =
            catch(|| Ok(AttentionKernel::Math.attention(&q, &k, &wrong, None))).unwrap_err();
        assert!(matches!(error, Error::Torch { .. }), "{error:?}");
    }

    #[test]
    fn a_kernel_that_is_not_there_refuses_and_leaves_torchs_choice_alone() {
        let operands = operands();
        let [q, k, v] = &operands;
        assert!(AttentionKernel::Cudnn.attention(q, k, v, None).is_none());
        assert_eq!(crate::nn::attention(q, k, v, None).size(), q.size());
    }
}
