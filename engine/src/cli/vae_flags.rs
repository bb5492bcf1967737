//! How the VAE decodes, as flags: the settings `vae.chunk`, `vae.quality` and `vae.blend`.

use std::str::FromStr;

use framepack_engine::{VaeMode, VaeSettings};

use super::split::Switch;

#[derive(Debug, Clone, Copy, clap::Args)]
#[expect(clippy::struct_field_names, reason = "clap names flags by fields")]
pub(crate) struct VaeFlags {
    /// Decode so many latent frames at a time; without any of these flags in the reference's tiles
    #[arg(long, value_name = "1..8|auto", value_parser = number_or_auto::<1, 8>)]
    vae_chunk: Option<Amount>,
    /// Decode a section as one in tiles as large as the device holds, with norms and sums in f32; wins over --vae-chunk and --vae-blend
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    vae_quality: Option<Switch>,
    /// Frames over which chunks fade into each other, each decoded by itself [default: chunks go on from one another]
    #[arg(long, value_name = "0..16|auto", value_parser = number_or_auto::<0, 16>)]
    vae_blend: Option<Amount>,
}

/// A number, or what is left to the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    Auto,
    Number(u8),
}

impl Amount {
    fn number(self) -> Option<u8> {
        match self {
            Self::Auto => None,
            Self::Number(number) => Some(number),
        }
    }
}

impl VaeFlags {
    /// As a job has them.
    pub(crate) fn settings(self) -> VaeSettings {
        let mode = match self.vae_chunk {
            Some(_) => VaeMode::Chunked,
            None => VaeMode::Auto,
        };
        VaeSettings {
            mode,
            chunk: self.vae_chunk.and_then(Amount::number),
            blend_frames: self.vae_blend.and_then(Amount::number),
            has_quality: self.vae_quality == Some(Switch::On),
        }
    }
}

fn number_or_auto<const LEAST: u8, const MOST: u8>(text: &str) -> Result<Amount, String> {
    if text == "auto" {
        return Ok(Amount::Auto);
    }
    match u8::from_str(text) {
        Ok(number) if (LEAST..=MOST).contains(&number) => Ok(Amount::Number(number)),
        _ => Err(format!(
            "expected `auto` or a whole number from {LEAST} to {MOST}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_the_range_or_auto() {
        let chunk = number_or_auto::<1, 8>;
        assert_eq!(chunk("auto"), Ok(Amount::Auto));
        assert_eq!(chunk("8"), Ok(Amount::Number(8)));
        for text in ["0", "9", "-1", "1.5", "", "Auto", "300"] {
            let said = chunk(text).unwrap_err();
            assert_eq!(said, "expected `auto` or a whole number from 1 to 8");
        }
        assert_eq!(number_or_auto::<0, 16>("0"), Ok(Amount::Number(0)));
    }

    #[test]
    fn no_flag_asks_for_nothing() {
        let flags = VaeFlags {
            vae_chunk: None,
            vae_quality: None,
            vae_blend: None,
        };
        assert_eq!(flags.settings(), VaeSettings::default());
        let flags = VaeFlags {
            vae_chunk: Some(Amount::Auto),
            ..flags
        };
        assert_eq!(flags.settings().mode, VaeMode::Chunked);
    }
}
