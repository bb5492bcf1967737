//! What the transformer takes, known before a weight is read: from its configuration, the sizes of its weights, and
//! the number of tokens, which follows from the video's size.

use tch::Kind;

use super::{
    cache::{CacheSizes, StepCacheRule},
    conditioner::OUT_VECTORS,
    config::Config,
    context::{COARSENESS, patch},
    modulation::{DOUBLE_VECTORS, SINGLE_VECTORS},
};
use crate::{
    kernels::{KernelUse, tokens::TOKENS_AT_ONCE},
    nn::attention::AttentionMemory,
    section::CONTEXT_LATENT_FRAMES,
};

/// Tensors of the residual stream's width (D) that live where a block takes most: in the double-stream block,
/// in the image's feed-forward, its input, the attention's output, the stream after the attention, and the modulated
/// stream or the feed-forward's output.
const PEAK_HIDDEN: u64 = 4;
/// Tensors of the MLP's width that live there: before and after the activation function, which kernels compute in place.
const PEAK_MLP: u64 = 2;
const PEAK_MLP_WITH_KERNELS: u64 = 1;
/// Tensors of width D that live where queries or keys are rotated: stream, modulated stream, q, k, v …
const ROTARY_HIDDEN: u64 = 5;
/// … the normed ones, which kernels write over the others …
const NORMED_HIDDEN: u64 = 1;
/// … and those of width D in f32: the two products and their sum.
const ROTARY_HIDDEN_F32: u64 = 3;
/// Tensors of width D that live during the attention: stream, modulated stream, q, k, v and the result; with kernels that of
/// a second part of the keys.
const ATTENTION_HIDDEN: u64 = 6;
const SECOND_PART_HIDDEN: u64 = 1;
/// Tables of cosines and sines, f32, as wide as a head.
const ROTARY_TABLES: u64 = 2;
const F32_BYTES: u64 = 4;
/// Of the activations, how much torch's allocator holds beside them: freed pieces between live ones, of other sizes
/// than the next tensors want. On cards with less to spare it gives memory back and takes it again in every step,
/// which costs a tenth of the speed (measured on an H100: none with two fifths, a tenth with a quarter).
const FRAGMENTATION: (u64, u64) = (1, 2);
/// Tensors as wide as the hidden size that the refiner has alive, its MLP's (four wide) among them.
const REFINER_TENSORS: u64 = 16;

/// One run of the transformer: how large its sequence is, and how often it is evaluated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// Tokens of latents, context, image and text together.
    pub tokens: u64,
    /// Those of image and text.
    pub context_tokens: u64,
    /// Text tokens with their padding, which only the refiner sees.
    pub padded_text_tokens: u64,
    /// Those of the latents that are denoised.
    pub latent_tokens: u64,
    /// Branches of the guidance: 2 with a negative prompt.
    pub branches: u64,
    /// Steps of the schedule in each of them.
    pub steps: u64,
    /// What steps reuse.
    pub step_cache: StepCacheRule,
    /// What the attention has in memory.
    pub attention: AttentionMemory,
    /// Whether the model is computed by the engine's kernels.
    pub kernels: KernelUse,
}

/// What the model takes, in bytes as on the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransformerCost {
    /// The blocks in the order of their use.
    pub block_bytes: Vec<u64>,
    /// Weights that are always on the device.
    pub fixed_bytes: u64,
    /// The part that hoisting evaluates first, with its working memory.
    pub conditioner_bytes: u64,
    /// The largest of the modulation layers, which hoisting evaluates one after the other.
    pub modulation_bytes: u64,
    /// The tables that hoisting leaves.
    pub hoisted_bytes: u64,
    /// Weights that leave the device once hoisting has evaluated them.
    pub hoisted_away_bytes: u64,
    /// What the step cache keeps.
    pub step_cache_bytes: u64,
    /// What one evaluation takes beside all weights, torch's cache for it included.
    pub activation_bytes: u64,
}

/// Bytes of the model's weights.
pub(super) struct WeightBytes {
    /// Of each block, in the order of their use.
    pub(super) blocks: Vec<u64>,
    /// What is always on the device.
    pub(super) fixed: u64,
    /// The part that hoisting evaluates first.
    pub(super) conditioner: u64,
    /// Of each modulation layer.
    pub(super) modulations: Vec<u64>,
}

impl TransformerCost {
    /// What a run of a model of `config` takes.
    pub(super) fn new(config: &Config, kind: Kind, weights: WeightBytes, run: &Run) -> Self {
        let (dim, kind_bytes) = (config.hidden_size() as u64, kind.elt_size_in_bytes() as u64);
        let sequence = Sequence {
            tokens: run.tokens,
            hidden_size: dim,
            mlp_size: config.mlp_size() as u64,
            head_dim: config.attention_head_dim as u64,
            kind_bytes,
            attention_bytes: run.attention.bytes(run.tokens, config.heads(), kind),
            kernels: run.kernels,
        };
        let streams = 2 * config.num_layers;
        let vectors =
            streams * DOUBLE_VECTORS + config.num_single_layers * SINGLE_VECTORS + OUT_VECTORS;
        let modulation = vectors as u64 * dim;
        let refiner_bytes = REFINER_TENSORS * run.padded_text_tokens * dim * kind_bytes;
        Self {
            conditioner_bytes: weights.conditioner + refiner_bytes,
            modulation_bytes: weights.modulations.iter().copied().max().unwrap_or(0),
            hoisted_bytes: run.branches
                * run.steps
                * kind_bytes
                * (run.context_tokens * dim + modulation),
            hoisted_away_bytes: weights.conditioner + weights.modulations.iter().sum::<u64>(),
            fixed_bytes: weights.fixed,
            step_cache_bytes: run.step_cache.bytes(&CacheSizes {
                image_tokens: run.tokens - run.context_tokens,
                latent_tokens: run.latent_tokens,
                context_tokens: run.context_tokens,
                hidden_size: dim,
                kind_bytes,
                blocks: weights.blocks.len() as u64,
                branches: run.branches,
            }),
            block_bytes: weights.blocks,
            activation_bytes: sequence.working_bytes(),
        }
    }
}

/// The sequence that the blocks work on, and how wide it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// Tokens of latents, context, image and text together.
    pub(crate) tokens: u64,
    /// Width of the residual stream.
    pub(crate) hidden_size: u64,
    /// Width of the MLPs.
    pub(crate) mlp_size: u64,
    /// Channels of one attention head.
    pub(crate) head_dim: u64,
    /// Bytes of a number in the model's type.
    pub(crate) kind_bytes: u64,
    /// What the attention has in memory beside its operands and its result.
    pub(crate) attention_bytes: u64,
    pub(crate) kernels: KernelUse,
}

impl Sequence {
    /// Most bytes that one evaluation takes: its tensors, and what torch's allocator holds for them.
    pub(crate) fn working_bytes(&self) -> u64 {
        let (part, whole) = FRAGMENTATION;
        self.activation_bytes() + self.activation_bytes() * part / whole
    }

    /// Most bytes that one evaluation has alive beside weights and workspaces of libraries.
    ///
    /// Of the places where a block's tensors pile up, three can be the highest: the feed-forward of the
    /// double-stream block; where the MLPs are narrow, the rotation of queries and keys, or their attention; and an attention
    /// that is not fused, with the scores of a chunk of queries. Where a kernel can't be had, torch's operations rotate a piece of the tokens at
    /// a time. Text and image are counted as one stream, which says a little too much.
    pub(crate) fn activation_bytes(&self) -> u64 {
        let (mlps, rotated_at_once) = match self.kernels {
            KernelUse::On => (PEAK_MLP_WITH_KERNELS, self.tokens.min(TOKENS_AT_ONCE)),
            KernelUse::Off => (PEAK_MLP, self.tokens),
        };
        let feed_forward =
            self.kind_bytes * (PEAK_HIDDEN * self.hidden_size + mlps * self.mlp_size);
        let rotary = self.tokens * self.hidden_size * ROTARY_HIDDEN * self.kind_bytes
            + rotated_at_once
                * self.hidden_size
                * (NORMED_HIDDEN * self.kind_bytes + ROTARY_HIDDEN_F32 * F32_BYTES);
        let tables = ROTARY_TABLES * F32_BYTES * self.head_dim;
        let in_parts = match self.kernels {
            KernelUse::On => ATTENTION_HIDDEN + SECOND_PART_HIDDEN,
            KernelUse::Off => ATTENTION_HIDDEN,
        };
        let attention = self.kind_bytes * in_parts * self.hidden_size;
        let fused = (self.tokens * feed_forward.max(attention)).max(rotary) + self.tokens * tables;
        if self.attention_bytes == 0 {
            return fused;
        }
        let operands = self.kind_bytes * ATTENTION_HIDDEN * self.hidden_size;
        fused.max(self.tokens * (operands + tables) + self.attention_bytes)
    }
}

/// Tokens of a section of `window` latent frames and its context, for latents of `[height, width]`.
///
/// The last patch of an axis is filled up.
pub fn section_tokens([height, width]: [u64; 2], window: u64) -> u64 {
    let [near, half, quarter] = CONTEXT_LATENT_FRAMES.map(i64::unsigned_abs);
    let start = 1;
    let clean = [start + near, half, quarter];
    let clean = clean.into_iter().zip(COARSENESS);
    let clean = clean.map(|(frames, coarseness)| group_tokens([height, width], frames, coarseness));
    latent_tokens([height, width], window) + clean.sum::<u64>()
}

/// Of them, those of the section itself.
pub fn latent_tokens(size: [u64; 2], window: u64) -> u64 {
    group_tokens(size, window, 1)
}

fn group_tokens([height, width]: [u64; 2], frames: u64, coarseness: i64) -> u64 {
    let [t, y, x] = patch(coarseness).map(i64::unsigned_abs);
    frames.div_ceil(t) * height.div_ceil(y) * width.div_ceil(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published model in bf16, without kernels.
    fn published(tokens: u64) -> Sequence {
        Sequence {
            tokens,
            hidden_size: 3072,
            mlp_size: 12_288,
            head_dim: 128,
            kind_bytes: 2,
            attention_bytes: 0,
            kernels: KernelUse::Off,
        }
    }

    #[test]
    fn wide_numbers_and_narrow_mlps_have_their_peaks_elsewhere() {
        let bf16 = published(1000);
        let f32 = Sequence {
            kind_bytes: 4,
            ..bf16
        };
        // The rotary tables are f32 in both.
        let tables = 1000 * 2 * 4 * 128;
        assert_eq!(
            f32.activation_bytes() - tables,
            2 * (bf16.activation_bytes() - tables)
        );
        let narrow = Sequence {
            mlp_size: 3072,
            ..bf16
        };
        // 6 tensors in bf16 and 3 in f32 are 12 of bf16's.
        assert_eq!(narrow.activation_bytes() - tables, 1000 * 12 * 3072 * 2);
    }

    #[test]
    fn kernels_take_a_third_less() {
        let off = published(18_269);
        let on = Sequence {
            kernels: KernelUse::On,
            ..off
        };
        let tables = 18_269 * 2 * 4 * 128;
        assert_eq!(
            3 * (on.activation_bytes() - tables),
            2 * (off.activation_bytes() - tables)
        );
        // Of 18 289 tokens torch's peak on an H200 was 18.523 GiB without them and 18.122 with them.
        let less = |tokens| {
            let of = |kernels| Sequence {
                kernels,
                ..published(tokens)
            };
            of(KernelUse::Off).activation_bytes() - of(KernelUse::On).activation_bytes()
        };
        let measured = (18.523 - 18.122) * f64::from(1 << 30);
        assert!((less(18_289) as f64 / measured - 1.0).abs() < 0.05);
        // Where the MLP is narrow, the attention is the peak.
        let narrow = Sequence {
            mlp_size: 3072,
            ..on
        };
        assert_eq!(narrow.activation_bytes() - tables, 18_269 * 3072 * 7 * 2);
        // Of few tokens, the rotation: torch's operations would take them at once.
        let few = Sequence {
            tokens: 1000,
            ..narrow
        };
        let rotated = 1000 * 3072 * (6 * 2 + 3 * 4);
        assert_eq!(few.activation_bytes() - 1000 * 2 * 4 * 128, rotated);
    }

    #[test]
    fn scores_count_where_they_are_the_peak() {
        let fused = published(18_269);
        let math = |tokens| Sequence {
            attention_bytes: AttentionMemory::Chunks.bytes(tokens, [24, 128], Kind::BFloat16),
            ..published(tokens)
        };
        // Six tensors in bf16, three operands in f32, two tables, and the scores of 128 queries, 9 bytes each.
        let tokens = 18_269;
        let expected = tokens * (3072 * (6 * 2 + 3 * 4) + 2 * 4 * 128) + 128 * tokens * 24 * 9;
        assert_eq!(math(tokens).activation_bytes(), expected);
        let more = expected - fused.activation_bytes();
        assert!(more < 1 << 29, "{more} bytes more than with a fused kernel");
        // All pairs at once would be of another size.
        assert!(expected < tokens * tokens * 24 * 4 / 10);
        // Where the feed-forward is the peak, they change nothing.
        let wide = |sequence| Sequence {
            mlp_size: 24_576,
            ..sequence
        };
        assert_eq!(
            wide(math(10)).activation_bytes(),
            wide(published(10)).activation_bytes()
        );
    }

    #[test]
    fn token_counts_of_framepacks_buckets() {
        for (size, tokens) in [
            ([52, 120], 17_970),
            ([56, 108], 17_402),
            ([68, 88], 17_226),
            ([76, 80], 17_500),
            ([80, 80], 18_400),
        ] {
            assert_eq!(section_tokens(size, 9), tokens, "{size:?}");
        }
    }
}
