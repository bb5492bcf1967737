//! The provenance of latents: what decides their bits besides the job and its models.

use serde::{Deserialize, Serialize};
use tch::Kind;

use crate::{
    device::{self, PermittedKernels},
    kernels::KernelUse,
    nn::attention::{AttentionMode, Backend, TorchKernels},
    platform::Platform,
    transformer::StepCacheRule,
    vae::DecodeScheme,
};

/// How a section was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provenance {
    /// Kind of the device, and the model that its maker names: no two round alike.
    pub(crate) device: String,
    /// Threads that share an operation, and with it the order of its sums; on the CPU.
    pub(crate) threads: Option<u32>,
    /// Version of this program and a part of its fingerprint: another build may compute other bits.
    pub(crate) version: String,
    pub(crate) torch: String,
    /// Type of the transformer.
    pub(crate) dtype: String,
    /// Type of the VAE.
    pub(crate) vae_dtype: String,
    /// Which kernels torch may choose for attention: the name of a [`TorchKernels`].
    #[serde(rename = "attention")]
    pub(crate) torch_kernels: String,
    /// Backend of the transformer's attention, by its name; versions that had no choice used torch's.
    #[serde(default = "torchs")]
    pub(crate) attention_backend: String,
    /// What the job asked for, which decides no bits beside the backend; versions that had no modes chose by the device.
    #[serde(default = "auto")]
    pub(crate) attention_mode: String,
    /// Kernels of attention that the process was not to use, in any model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) switched_off: Vec<String>,
    /// Of the out-of-memory ladder.
    pub(crate) rung: u32,
    /// How the VAE decodes: the name of a [`DecodeScheme`].
    pub(crate) tiling: String,
    /// Whether the engine's kernels computed; earlier versions had none.
    #[serde(default)]
    pub(crate) kernels: bool,
    /// Whether torch's operations did their work, for want of a compiler.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) lacks_compiler: bool,
    /// What steps reused: a [`StepCacheRule`] in words; versions that had none computed every step.
    #[serde(default = "off")]
    pub(crate) step_cache: String,
}

fn off() -> String {
    StepCacheRule::Off.to_string()
}

fn torchs() -> String {
    Backend::Torch.to_string()
}

fn auto() -> String {
    AttentionMode::Auto.to_string()
}

/// What a run decides for itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunSettings {
    pub(crate) dtype: Kind,
    pub(crate) vae_dtype: Kind,
    pub(crate) torch_kernels: TorchKernels,
    pub(crate) attention_backend: Backend,
    pub(crate) attention_mode: AttentionMode,
    pub(crate) rung: u32,
    pub(crate) decoding: DecodeScheme,
    pub(crate) step_cache: StepCacheRule,
    pub(crate) kernels: KernelUse,
    /// Whether the device could have kernels, and there is no compiler for them.
    pub(crate) lacks_compiler: bool,
}

impl Provenance {
    /// Those of a run on `platform`.
    pub(crate) fn now(platform: &Platform, settled: RunSettings) -> Self {
        let is_cuda = platform.device.is_cuda();
        Self {
            device: platform.name.clone(),
            threads: (!is_cuda).then(|| tch::get_num_threads().unsigned_abs()),
            version: platform.version(),
            torch: device::torch_version().into(),
            dtype: format!("{:?}", settled.dtype),
            vae_dtype: format!("{:?}", settled.vae_dtype),
            torch_kernels: settled.torch_kernels.as_str().into(),
            attention_backend: settled.attention_backend.to_string(),
            attention_mode: settled.attention_mode.to_string(),
            switched_off: PermittedKernels::now()
                .missing()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            rung: settled.rung,
            tiling: settled.decoding.to_string(),
            step_cache: settled.step_cache.to_string(),
            kernels: settled.kernels == KernelUse::On,
            lacks_compiler: settled.kernels == KernelUse::On && settled.lacks_compiler,
        }
    }

    /// Whether every step was computed.
    pub(crate) fn has_no_step_cache(&self) -> bool {
        self.step_cache == off()
    }

    /// What computed the attention.
    fn attention(&self) -> String {
        let is_torch = self.attention_backend == Backend::Torch.as_str();
        if is_torch && self.torch_kernels == TorchKernels::NotPreferred.as_str() {
            "torch without its preferred kernels".into()
        } else {
            self.attention_backend.clone()
        }
    }

    /// What attention could not use.
    fn without(&self) -> String {
        if self.switched_off.is_empty() {
            return "none".into();
        }
        self.switched_off.join(" and ")
    }

    /// Whether a step is made in the same way.
    pub(super) fn samples_like(&self, other: &Self) -> bool {
        let mode = other.attention_mode.clone();
        let these = Self {
            attention_mode: mode,
            ..self.clone()
        };
        these == *other
    }

    /// Whether the VAE makes the same frames of the same latents.
    pub(super) fn decodes_like(&self, other: &Self) -> bool {
        let decoding = |these: &Self| {
            let Self {
                device,
                threads,
                version,
                torch,
                vae_dtype,
                switched_off,
                tiling,
                kernels,
                lacks_compiler,
                ..
            } = these.clone();
            let programs = (version, torch, switched_off, kernels, lacks_compiler);
            (device, threads, programs, vae_dtype, tiling)
        };
        decoding(self) == decoding(other)
    }

    /// What was otherwise when something was made under these; `None` if nothing was.
    pub(crate) fn difference(&self, now: &Self) -> Option<String> {
        let [then, now] = [self, now].map(|these| {
            [
                ("device", these.device.clone()),
                ("threads", format!("{:?}", these.threads)),
                ("framepackd", these.version.clone()),
                ("torch", these.torch.clone()),
                ("dtype", these.dtype.clone()),
                ("dtype of the VAE", these.vae_dtype.clone()),
                ("attention", these.attention()),
                ("switched-off kernel", these.without()),
                ("rung", these.rung.to_string()),
                ("tiling", these.tiling.clone()),
                ("step cache", these.step_cache.clone()),
                (
                    "kernels",
                    match (these.kernels, these.lacks_compiler) {
                        (true, false) => "on",
                        (true, true) => "on without a compiler",
                        (false, _) => "off",
                    }
                    .to_owned(),
                ),
            ]
        });
        let pairs = then.into_iter().zip(now);
        let differing = pairs.filter(|(then, now)| then != now);
        let named: Vec<String> = differing
            .map(|((name, then), (_, now))| format!("{name} was {then} and is {now}"))
            .collect();
        (!named.is_empty()).then(|| named.join(", "))
    }
}

#[cfg(test)]
impl Provenance {
    /// As on the processor, with the VAE in this type and on this rung.
    pub(crate) fn on_cpu(vae_dtype: tch::Kind, rung: u32) -> Self {
        let settled = RunSettings {
            dtype: tch::Kind::Float,
            vae_dtype,
            torch_kernels: TorchKernels::Any,
            attention_backend: Backend::Math,
            attention_mode: AttentionMode::Auto,
            rung,
            decoding: DecodeScheme::default(),
            step_cache: StepCacheRule::Off,
            kernels: KernelUse::On,
            lacks_compiler: false,
        };
        let platform = Platform {
            device: tch::Device::Cpu,
            name: "cpu".into(),
            driver: None,
            build: None,
        };
        Self::now(&platform, settled)
    }
}
