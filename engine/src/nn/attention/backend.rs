//! Backends of attention without a mask: torch's own choice, and each of its kernels by itself.

use std::{fmt, str::FromStr};

use framepack_jobs::suggest;
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};
use thiserror::Error;

use super::{
    class::Class,
    math::{self, AttentionMemory},
    torch::{attention, chooses_cudnn, chooses_math},
};
use crate::{
    device::{self, AttentionKernel, PermittedKernels},
    error::Error,
};

/// What computes an attention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// The kernel that torch picks.
    #[default]
    Torch,
    /// cuDNN's fused kernel: CUDA, half precision.
    Cudnn,
    /// FlashAttention-2: CUDA in half precision; on the CPU torch's own in any precision.
    Flash,
    /// xformers' kernel: CUDA.
    MemoryEfficient,
    /// Two matrix products with a softmax between them, for a chunk of queries at a time: everywhere.
    Math,
}

/// Which kernels [`Backend::Torch`] may pick, in this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TorchKernels {
    /// Any.
    #[default]
    Any,
    /// All but cuDNN's and flash, which torch prefers: one of them may have failed.
    NotPreferred,
    /// Any, although something failed: what was used then is none that torch prefers.
    PreferredAgain,
}

impl TorchKernels {
    /// As checkpoints name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "torch's choice",
            Self::NotPreferred => "not torch's choice",
            Self::PreferredAgain => "torch's choice again",
        }
    }
}

/// A name that is no backend's.
#[derive(Debug, Error)]
#[error(
    "unknown attention backend {name:?}: expected one of torch, cudnn, flash, memory-efficient, math{}",
    near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default()
)]
pub struct UnknownBackend {
    /// The name.
    pub name: String,
    /// The backend that may be meant.
    pub near: Option<&'static str>,
}

impl Backend {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Torch,
        Self::Cudnn,
        Self::Flash,
        Self::MemoryEfficient,
        Self::Math,
    ];

    /// Its name on command lines and in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::Cudnn => "cudnn",
            Self::Flash => "flash",
            Self::MemoryEfficient => "memory-efficient",
            Self::Math => "math",
        }
    }

    /// `softmax(q kᵀ / √D) v` over (B, H, L, D); strided views are fine.
    ///
    /// # Panics
    /// With an error for [`device::catch`] if the backend does not take these tensors.
    pub fn attention(self, q: &Tensor, k: &Tensor, v: &Tensor) -> Tensor {
        let attended = match self.kernel() {
            None => return attention(q, k, v, None),
            Some(AttentionKernel::Math) => math::attention(q, k, v),
            Some(kernel) => kernel.attention(q, k, v, None),
        };
        attended.unwrap_or_else(|| {
            let shapes = [q, k, v].map(Tensor::size);
            let message = format!(
                "attention backend {self} does not take q {:?}, k {:?}, v {:?} of {:?} on {}",
                shapes[0],
                shapes[1],
                shapes[2],
                q.kind(),
                device::label(q.device()),
            );
            device::raise(Error::Torch { message })
        })
    }

    /// Whether it takes tensors of `class` on `device`, found by trying it on few tokens.
    pub fn is_available(self, device: Device, class: &Class) -> Result<bool, Error> {
        let Some(kernel) = self.kernel() else {
            return Ok(true);
        };
        let tried = device::catch(|| {
            let operand = class.probe(device);
            Ok(kernel
                .attention(&operand, &operand, &operand, None)
                .is_some())
        });
        match tried {
            Err(Error::Torch { message }) => {
                tracing::warn!(backend = %self, message, "an attention backend fails");
                Ok(false)
            }
            tried => tried,
        }
    }

    /// Why it can't be used for tensors of `class` on `device`; `None` if it can.
    pub(super) fn missing(self, device: Device, class: &Class) -> Result<Option<String>, Error> {
        let is_available = self.is_available(device, class)?;
        Ok((!is_available).then(|| format!("{self} {}", self.absence(device))))
    }

    /// How it is that it can't be used, as the end of a sentence.
    fn absence(self, device: Device) -> String {
        match self.switched_off() {
            Some(option) => format!("was switched off by {option}"),
            None => format!("is not available on {}", device::label(device)),
        }
    }

    /// The option of the command line that keeps this process from using it.
    pub fn switched_off(self) -> Option<&'static str> {
        let is_off = |kernel| !PermittedKernels::now().has(kernel);
        match self.kernel().filter(|kernel| is_off(*kernel))? {
            AttentionKernel::Flash => Some("--flash-sdp off"),
            AttentionKernel::MemoryEfficient => Some("--mem-efficient-sdp off"),
            AttentionKernel::Cudnn | AttentionKernel::Math => None,
        }
    }

    /// What it has in memory for tensors of `class` on `device`, as torch would choose now.
    pub fn memory(self, device: Device, class: &Class) -> Result<AttentionMemory, Error> {
        let is_math = match self {
            Self::Math => true,
            Self::Cudnn | Self::Flash | Self::MemoryEfficient => false,
            Self::Torch => device::catch(|| {
                let operand = class.probe(device);
                Ok(chooses_math(&operand, &operand, &operand))
            })?,
        };
        Ok(if is_math {
            AttentionMemory::Chunks
        } else {
            AttentionMemory::Fused
        })
    }

    /// An error that says which backends there are if this one does not take tensors of `class` on `device`.
    pub fn require(self, device: Device, class: &Class) -> Result<(), Error> {
        if self.is_available(device, class)? {
            return Ok(());
        }
        let mut available = vec![];
        for backend in Self::ALL {
            if backend.is_available(device, class)? {
                available.push(backend.as_str());
            }
        }
        Err(Error::NoAttentionBackend {
            backend: self.as_str(),
            absence: self.absence(device),
            available,
        })
    }

    /// Kernels with which torch computes otherwise than this backend did.
    pub const fn unlike(self) -> TorchKernels {
        match self {
            Self::Torch | Self::Cudnn | Self::Flash => TorchKernels::NotPreferred,
            Self::MemoryEfficient | Self::Math => TorchKernels::PreferredAgain,
        }
    }

    /// Whether cuDNN would compute these.
    pub(crate) fn is_cudnn(self, [q, k, v]: [&Tensor; 3]) -> bool {
        q.device().is_cuda()
            && match self {
                Self::Cudnn => true,
                Self::Torch => chooses_cudnn(q, k, v),
                Self::Flash | Self::MemoryEfficient | Self::Math => false,
            }
    }

    fn kernel(self) -> Option<AttentionKernel> {
        match self {
            Self::Torch => None,
            Self::Cudnn => Some(AttentionKernel::Cudnn),
            Self::Flash => Some(AttentionKernel::Flash),
            Self::MemoryEfficient => Some(AttentionKernel::MemoryEfficient),
            Self::Math => Some(AttentionKernel::Math),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        let known = Self::ALL
            .into_iter()
            .find(|backend| backend.as_str() == name);
        known.ok_or_else(|| UnknownBackend {
            name: name.into(),
            near: suggest(name, Self::ALL.map(Self::as_str)),
        })
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    const CLASS: Class = Class {
        kind: Kind::Float,
        heads: 2,
        head_dim: 16,
        tokens: 128,
    };

    fn operands() -> [Tensor; 3] {
        let waves = |step: f64| {
            let angles = Tensor::arange(2 * 100 * 16, (Kind::Float, Device::Cpu)) * step;
            angles.sin().view([1, 100, 2, 16]).transpose(1, 2)
        };
        [waves(0.37), waves(0.53), waves(0.71)]
    }

    #[test]
    fn names_are_the_same_everywhere() {
        for backend in Backend::ALL {
            let name = backend.to_string();
            assert_eq!(name.parse::<Backend>().unwrap(), backend);
            assert_eq!(serde_json::to_value(backend).unwrap(), name.as_str());
        }
        let error = "sage".parse::<Backend>().unwrap_err().to_string();
        for backend in Backend::ALL {
            assert!(error.contains(backend.as_str()), "{error}");
        }
        assert!(!error.contains("did you mean"), "{error}");
        let error = "memory-eficient".parse::<Backend>().unwrap_err();
        assert_eq!(error.near, Some("memory-efficient"));
        assert!(
            error
                .to_string()
                .ends_with("(did you mean `memory-efficient`?)")
        );
    }

    #[test]
    fn torch_is_torchs_own_choice_and_math_rounds_otherwise() {
        let [q, k, v] = operands();
        let torchs = attention(&q, &k, &v, None);
        assert_eq!(Backend::default().attention(&q, &k, &v), torchs);
        let math = Backend::Math.attention(&q, &k, &v);
        assert_ne!(math, torchs);
        let error = (math - torchs).abs().max().double_value(&[]);
        assert!(error < 1e-5, "{error}");
    }

    #[test]
    fn a_backend_that_the_device_lacks_names_itself_and_the_shapes() {
        let [q, k, v] = operands();
        let tried = device::catch(|| Ok(Backend::Cudnn.attention(&q, &k, &v)));
        let Err(Error::Torch { message }) = tried else {
            panic!("{tried:?}")
        };
        assert!(
            message.contains("cudnn") && message.contains("[1, 2, 100, 16]"),
            "{message}"
        );
        assert!(message.contains("Float on cpu"), "{message}");
    }

    #[test]
    fn what_is_required_and_missing_is_an_error_with_what_there_is() {
        Backend::Math.require(Device::Cpu, &CLASS).unwrap();
        let error = Backend::MemoryEfficient
            .require(Device::Cpu, &CLASS)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "attention backend memory-efficient is not available on cpu: available are torch, flash, math"
        );
        assert_eq!(error.failure().code, "FP5030");
        // The kernel is there and its operands are none that it takes.
        let odd = Class {
            head_dim: -1,
            ..CLASS
        };
        assert!(!Backend::Math.is_available(Device::Cpu, &odd).unwrap());
    }
}
