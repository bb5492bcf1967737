//! Sizes of the VAE, from the `config.json` that its weights come with.

use std::path::Path;

use serde::Deserialize;

use crate::{
    section::FRAMES_PER_LATENT,
    weights::{WeightsError, read_config},
};

const CLASS_NAME: &str = "AutoencoderKLHunyuanVideo";

/// Configuration of [`super::Vae`]; the field names are those of `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// Colour channels in.
    pub in_channels: i64,
    /// Colour channels out.
    pub out_channels: i64,
    /// Latent channels.
    pub latent_channels: i64,
    /// Channels of the encoder's levels, fine to coarse; the decoder goes the other way.
    pub block_out_channels: Vec<i64>,
    /// Resnets of one level in the encoder; the decoder has one more.
    pub layers_per_block: i64,
    /// Groups of every group norm.
    pub norm_num_groups: i64,
    /// Factor between the encoder's latents and the transformer's.
    pub scaling_factor: f64,
    /// Pixels per latent along height and width.
    pub spatial_compression_ratio: i64,
    /// Frames per latent, the first frame aside.
    pub temporal_compression_ratio: i64,
    /// Whether the coarsest level has attention.
    pub mid_block_add_attention: bool,
}

/// What `config.json` says about choices that this engine makes in one way only.
#[derive(Deserialize)]
struct Fixed {
    #[serde(rename = "_class_name")]
    class_name: String,
    act_fn: String,
}

impl Config {
    /// Reads `config.json` in `dir`.
    pub fn read(dir: &Path) -> Result<Self, WeightsError> {
        let config: Self = read_config(dir)?;
        let fixed: Fixed = read_config(dir)?;
        let bad = |reason| {
            Err(WeightsError::Config {
                path: dir.join("config.json"),
                reason,
            })
        };
        if fixed.class_name != CLASS_NAME {
            return bad(format!(
                "_class_name is {}, expected {CLASS_NAME}",
                fixed.class_name
            ));
        }
        if fixed.act_fn != "silu" {
            return bad(format!("act_fn is {}, expected silu", fixed.act_fn));
        }
        if config.temporal_compression_ratio != FRAMES_PER_LATENT {
            let found = config.temporal_compression_ratio;
            return bad(format!(
                "temporal_compression_ratio is {found}, expected {FRAMES_PER_LATENT}"
            ));
        }
        if !matches!(config.spatial_compression_ratio, 1 | 2 | 4 | 8 | 16 | 32) {
            let found = config.spatial_compression_ratio;
            return bad(format!(
                "spatial_compression_ratio is {found}, expected a power of two up to 32"
            ));
        }
        let levels = config.block_out_channels.len();
        if levels < 3 || config.spatial_compression_ratio >= 1 << levels {
            return bad(format!(
                "block_out_channels has {levels} levels, too few for the compression ratios"
            ));
        }
        Ok(config)
    }

    /// Factors (t, h, w) between level `i` and the next, counted from the encoder's input in the encoder
    /// and from the decoder's input in the decoder: space in the first levels, time in the last.
    pub(super) fn resampling(&self, i: usize) -> Option<[i64; 3]> {
        let last = self.block_out_channels.len() - 1;
        let in_space = (i as u32) < self.spatial_compression_ratio.ilog2();
        let in_time = i < last && i + self.temporal_compression_ratio.ilog2() as usize >= last;
        let factor = |is_resampled| if is_resampled { 2 } else { 1 };
        (in_space || in_time).then(|| [factor(in_time), factor(in_space), factor(in_space)])
    }
}

#[cfg(test)]
impl Config {
    /// `AutoencoderKLHunyuanVideo`'s defaults, which the published VAE has.
    pub(crate) fn published() -> Self {
        Self {
            in_channels: 3,
            out_channels: 3,
            latent_channels: 16,
            block_out_channels: vec![128, 256, 512, 512],
            layers_per_block: 2,
            norm_num_groups: 32,
            scaling_factor: 0.476_986,
            spatial_compression_ratio: 8,
            temporal_compression_ratio: FRAMES_PER_LATENT,
            mid_block_add_attention: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_resampled_three_times_and_time_twice() {
        let steps: Vec<_> = (0..4).map(|i| Config::published().resampling(i)).collect();
        assert_eq!(
            steps,
            [Some([1, 2, 2]), Some([2, 2, 2]), Some([2, 2, 2]), None]
        );
    }
}
