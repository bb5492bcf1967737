//! `synth`: the weights that `random:SEED` stands for, as a file in the reference's format.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context as _, bail};
use framepack_engine::{
    offload::{Memory, MemoryOptions},
    text::{Clip, Llama, clip, llama},
    transformer::{self, PackedTransformer},
    vae::{self, Vae},
    vision::{Siglip, siglip},
    weights::{Layout, Loading, read_config, save_synthesised},
};
use serde::Deserialize;
use tch::{Device, Kind};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder with the component's config.json
    #[arg(long, value_name = "DIR")]
    config: PathBuf,
    /// Seed of the weights
    #[arg(long)]
    seed: u64,
    /// Folder to write config.json and the weights (f32) to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Args {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let (layout, tensors) = self.tensors()?;
        fs::create_dir_all(&self.out)
            .with_context(|| format!("creating {}", self.out.display()))?;
        save_synthesised(
            self.seed,
            &tensors,
            &self.out.join(format!("{}.safetensors", layout.base)),
        )?;
        let (from, to) = (
            self.config.join("config.json"),
            self.out.join("config.json"),
        );
        fs::copy(&from, &to)
            .with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
        Ok(())
    }

    /// Names and shapes of all tensors: what the component asks for when it is loaded.
    fn tensors(&self) -> anyhow::Result<(Layout, BTreeMap<String, Vec<i64>>)> {
        let dir = &self.config;
        let loading = Loading::shapes();
        let weights = loading.weights(Device::Cpu, Kind::Float);
        let memory = Memory::new(Device::Cpu, MemoryOptions::default());
        let layout = match read_config::<Kinds>(dir)?.component().as_str() {
            "HunyuanVideoTransformer3DModelPacked" | "HunyuanVideoFramepackTransformer3DModel" => {
                PackedTransformer::load(&weights, &transformer::Config::read(dir)?, &memory)?;
                Layout::DIFFUSERS
            }
            "AutoencoderKLHunyuanVideo" => {
                Vae::load(&weights, &vae::Config::read(dir)?)?;
                Layout::DIFFUSERS
            }
            "llama" => {
                Llama::load(&weights, &llama::Config::read(dir)?, &memory)?;
                llama::LAYOUT
            }
            "clip_text_model" => {
                Clip::load(&weights, &clip::Config::read(dir)?)?;
                clip::LAYOUT
            }
            "siglip_vision_model" => {
                Siglip::load(&weights, &siglip::Config::read(dir)?, &memory)?;
                siglip::LAYOUT
            }
            other => bail!(
                "{}: {other:?} is not a component of this engine",
                dir.display()
            ),
        };
        Ok((layout, loading.taken()))
    }
}

/// The keys by which a `config.json` says what it configures.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kinds {
    #[serde(rename = "_class_name")]
    class_name: Option<String>,
    architectures: Vec<String>,
    model_type: Option<String>,
}

impl Kinds {
    /// diffusers' class name, else transformers' model type, else its first architecture.
    fn component(self) -> String {
        self.class_name
            .or(self.model_type)
            .or(self.architectures.into_iter().next())
            .unwrap_or_default()
    }
}
