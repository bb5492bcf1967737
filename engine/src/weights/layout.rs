//! How the files of a component are laid out.

/// How a component's files are named and what in them is known to be unused.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// `diffusion_pytorch_model` (diffusers) or `model` (transformers).
    pub base: &'static str,
    /// Prefixes that some files carry and others lack; names are asked for without them.
    pub optional_prefixes: &'static [&'static str],
    /// Whether a tensor (name without optional prefix) may be left over.
    pub ignored: fn(&str) -> bool,
}

impl Layout {
    /// What diffusers writes: no prefix, nothing left over.
    pub const DIFFUSERS: Self = Self {
        base: "diffusion_pytorch_model",
        optional_prefixes: &[],
        ignored: |_| false,
    };
}
