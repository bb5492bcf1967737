//! What the models around the transformer take: the VAE while it decodes, encoders while they encode.

use super::available::AvailableMemory;
use crate::{error::PlanError, vae::Tiling};

// The VAE's constants, see vae/mod.rs: a spatial tile, and the most latent frames that go through at once.
const TILE_PX: u64 = 256;
const TILE_LATENT_FRAMES: u64 = 5;
const FRAMES_PER_LATENT: u64 = 4;
/// Tensors of the finest level but one (as wide as its channels, as large as the video) that live where the
/// decoder takes most; calibrated, see [`Decoding::allocated_bytes`].
const PEAK_TENSORS: f64 = 6.47;
/// What does not grow with the number of frames, in frames.
const PEAK_FRAMES_EXTRA: f64 = 0.53;
const COLOURS: u64 = 3;
/// Of what decoding has alive, how much torch's allocator holds beside it: freed pieces between live ones, of other
/// sizes than the next tensors want. Measured on an H100 with 18 latent frames of 608x640, whole and in spatial tiles:
/// 9.5 and 11.3 % beside 21.2 and 3.7 GiB. Nobody else can have it while the decode lasts.
const FRAGMENTATION: (u64, u64) = (1, 10);

/// Slots for the layers of a streamed encoder.
const ENCODER_SLOTS: u64 = 3;

/// What the VAE is to decode at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoding {
    /// Width and height of the video in pixels.
    pub size_px: [u64; 2],
    /// Latent frames that are decoded together.
    pub latent_frames: u64,
    /// Channels that the finest level of the decoder gets: `block_out_channels[1]`.
    pub channels: u64,
    /// Bytes of a number in the VAE's type.
    pub kind_bytes: u64,
    /// How the frames are cut.
    pub tiling: Tiling,
}

impl Decoding {
    /// Most bytes that decoding takes beside the VAE's weights: its tensors, and what torch's allocator holds for them.
    pub fn working_bytes(&self) -> u64 {
        let (part, whole) = FRAGMENTATION;
        self.allocated_bytes() + self.allocated_bytes() * part / whole
    }

    /// Most bytes that decoding has alive beside the VAE's weights, pieces of finished frames among them.
    ///
    /// Calibrated with diffusers' class in f16 at 608x640: 2.3, 7.3, 16.8 and 21.5 GiB for 1, 2, 4 and 9 latent
    /// frames, and 4.1 GiB in spatial tiles, weights included. More than five latent frames go through as
    /// temporal tiles.
    pub fn allocated_bytes(&self) -> u64 {
        let [width, height] = match self.tiling {
            Tiling::Time => self.size_px,
            Tiling::TimeAndSpace => self.size_px.map(|side| side.min(TILE_PX)),
        };
        let frames = pixel_frames(self.latent_frames.min(TILE_LATENT_FRAMES)) as f64;
        let number = (width * height * self.channels * self.kind_bytes) as f64;
        let tile = PEAK_TENSORS * number * (frames + PEAK_FRAMES_EXTRA);
        tile as u64 + self.video_bytes()
    }

    /// All decoded frames.
    fn video_bytes(&self) -> u64 {
        let [width, height] = self.size_px;
        pixel_frames(self.latent_frames) * width * height * COLOURS * self.kind_bytes
    }
}

/// Pixel frames of some latent frames, of which the first makes one.
fn pixel_frames(latent_frames: u64) -> u64 {
    FRAMES_PER_LATENT * latent_frames.saturating_sub(1) + 1
}

/// An encoder whose layers are equally built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EncoderNeeds {
    /// Embedding tables, final norms: what is not a layer.
    pub fixed_bytes: u64,
    /// All layers that are run.
    pub layers_bytes: u64,
    /// The largest layer.
    pub layer_bytes: u64,
    /// What one evaluation takes beside the weights.
    pub activation_bytes: u64,
}

/// How an encoder is run, and what it takes then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EncoderPlan {
    /// Whether its layers pass through slots.
    pub is_streamed: bool,
    /// Most device memory.
    pub peak_bytes: u64,
}

/// Runs an encoder whole if it fits beside `kept_bytes` of other weights, and else layer by layer.
pub(super) fn place_encoder(
    phase: &'static str,
    needs: &EncoderNeeds,
    kept_bytes: u64,
    memory: &AvailableMemory,
) -> Result<EncoderPlan, PlanError> {
    let base_bytes = needs.fixed_bytes + needs.activation_bytes;
    let ring_bytes = needs.layers_bytes.min(ENCODER_SLOTS * needs.layer_bytes);
    let plans = [(false, needs.layers_bytes), (true, ring_bytes)];
    let plan = plans.map(|(is_streamed, bytes)| EncoderPlan {
        is_streamed,
        peak_bytes: kept_bytes + base_bytes + bytes,
    });
    let fits = |plan: &EncoderPlan| plan.peak_bytes <= memory.budget_bytes();
    plan.into_iter().find(fits).ok_or_else(|| {
        let needs = [
            ("embeddings", needs.fixed_bytes),
            ("slots", ring_bytes),
            ("working memory", needs.activation_bytes),
        ];
        memory.too_small(phase, kept_bytes, needs)
    })
}

/// What decoding takes beside `kept_bytes` of weights that stay, the VAE's among them.
pub fn place_decoding(
    decoding: &Decoding,
    kept_bytes: u64,
    memory: &AvailableMemory,
) -> Result<u64, PlanError> {
    let working_bytes = decoding.working_bytes();
    if kept_bytes + working_bytes <= memory.budget_bytes() {
        return Ok(kept_bytes + working_bytes);
    }
    Err(memory.too_small("decoding", kept_bytes, [("working memory", working_bytes)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tiling_on;

    const GIB: u64 = 1 << 30;
    const VAE_BYTES: u64 = 493_000_000;

    fn decoding(latent_frames: u64, tiling: Tiling) -> Decoding {
        Decoding {
            size_px: [608, 640],
            latent_frames,
            channels: 256,
            kind_bytes: 2,
            tiling,
        }
    }

    fn card(gib: u64) -> AvailableMemory {
        AvailableMemory {
            total_bytes: gib * GIB,
            free_bytes: gib * GIB,
            foreign_bytes: 0,
            context_bytes: GIB / 2,
            host_available_bytes: 64 * GIB,
        }
    }

    #[test]
    fn the_measured_decodes_are_predicted() {
        for (latent_frames, tiling, measured_gib) in [
            (1, Tiling::Time, 2.3),
            (2, Tiling::Time, 7.3),
            (4, Tiling::Time, 16.8),
            (9, Tiling::Time, 21.5),
            (18, Tiling::Time, 21.6),
            (9, Tiling::TimeAndSpace, 4.1),
            (18, Tiling::TimeAndSpace, 4.2),
        ] {
            let bytes = VAE_BYTES + decoding(latent_frames, tiling).allocated_bytes();
            let gib = bytes as f64 / GIB as f64;
            let ratio = gib / measured_gib;
            assert!(
                (ratio - 1.0).abs() < 0.05,
                "{latent_frames} {tiling:?}: {gib}, measured {measured_gib}"
            );
        }
    }

    /// On an H100, `bench vae-decode`: everything that the process had on the device.
    #[test]
    fn the_measured_peaks_of_a_process_that_decodes_are_planned() {
        let memory = AvailableMemory {
            context_bytes: 618_000_000,
            ..card(80)
        };
        for (tiling, measured_bytes) in [
            (Tiling::Time, 26_020_216_832_u64),
            (Tiling::TimeAndSpace, 5_527_896_064),
        ] {
            let peak_bytes = place_decoding(&decoding(18, tiling), VAE_BYTES, &memory).unwrap();
            let ratio = (memory.context_bytes + peak_bytes) as f64 / measured_bytes as f64;
            assert!((ratio - 1.0).abs() < 0.05, "{tiling:?}: {ratio}");
        }
    }

    #[test]
    fn spatial_tiles_bound_the_size() {
        let larger = |tiling| Decoding {
            size_px: [1216, 640],
            ..decoding(5, tiling)
        };
        let growth = |tiling| {
            larger(tiling).working_bytes() as f64 / decoding(5, tiling).working_bytes() as f64
        };
        assert!(growth(Tiling::Time) > 1.99);
        assert!(growth(Tiling::TimeAndSpace) < 1.02);
    }

    #[test]
    fn llama_is_streamed_where_it_does_not_fit() {
        let llama = EncoderNeeds {
            fixed_bytes: 1_050_000_000,
            layers_bytes: 30 * 436_000_000,
            layer_bytes: 436_000_000,
            activation_bytes: 100_000_000,
        };
        let place = |gib| place_encoder("encoding the prompt", &llama, GIB / 4, &card(gib));
        assert!(!place(24).unwrap().is_streamed);
        let streamed = place(6).unwrap();
        assert!(streamed.is_streamed);
        assert_eq!(
            streamed.peak_bytes,
            GIB / 4 + 1_150_000_000 + 3 * 436_000_000
        );
        let message = place(3).unwrap_err().to_string();
        assert!(
            message.contains("encoding the prompt needs at least"),
            "{message}"
        );
    }

    #[test]
    fn decoding_fits_an_8_gib_card_in_tiles_and_not_without() {
        let kept = VAE_BYTES + GIB / 8;
        let memory = card(8);
        let tiling = tiling_on(memory.total_bytes);
        assert_eq!(tiling, Tiling::TimeAndSpace);
        assert_eq!(tiling_on(80 * GIB), Tiling::Time);
        let tiled = place_decoding(&decoding(18, tiling), kept, &memory).unwrap();
        assert!(tiled < 5 * GIB, "{tiled}");
        let error = place_decoding(&decoding(18, Tiling::Time), kept, &memory).unwrap_err();
        assert!(error.to_string().starts_with("decoding needs at least 24."));
    }
}
