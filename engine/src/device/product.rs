//! Matrix products with more behind them than tch can say: its `_addmm_activation` takes no word for GELU, and gives `relu`.
#![expect(unsafe_code, reason = "foreign functions")]

use std::{
    ffi::{c_int, c_void},
    ptr,
};

use tch::Tensor;
use torch_sys::C_tensor;

use super::shim::{checked, raised};

unsafe extern "C" {
    fn fp_gelu_product(
        bias: *const c_void,
        x: *const c_void,
        weight: *const c_void,
        output: *mut *mut c_void,
    ) -> c_int;
}

/// `gelu(x weightᵀ + bias)` with the tanh approximation, from the product's sums before they are rounded; CUDA only. `x` is
/// (n, in), `weight` (out, in), `bias` (out).
///
/// # Panics
/// With torch's message, as all model code.
pub(crate) fn gelu_product(bias: &Tensor, x: &Tensor, weight: &Tensor) -> Tensor {
    let [bias, x, weight] = [bias, x, weight].map(|tensor| tensor.as_ptr().cast::<c_void>());
    let mut output = ptr::null_mut();
    // SAFETY: the tensors live through the call, and the pointer is valid for it and is written only by it.
    raised(checked(unsafe {
        fp_gelu_product(bias, x, weight, &raw mut output)
    }));
    // SAFETY: a call that succeeds has made a tensor, which nobody else has.
    unsafe { Tensor::from_ptr(output.cast::<C_tensor>()) }
}
