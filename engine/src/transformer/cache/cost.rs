//! What a step cache keeps on the device, known before a weight is read.

use super::rule::StepCacheRule;

/// Of the run whose steps are cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transformer) struct CacheSizes {
    /// Image tokens: latents and the frames around the section.
    pub(in crate::transformer) image_tokens: u64,
    /// Of them, those of the latents.
    pub(in crate::transformer) latent_tokens: u64,
    /// Tokens of text and image encoder.
    pub(in crate::transformer) context_tokens: u64,
    /// Width of the residual stream.
    pub(in crate::transformer) hidden_size: u64,
    /// Bytes of a number in the model's type.
    pub(in crate::transformer) kind_bytes: u64,
    /// Blocks.
    pub(in crate::transformer) blocks: u64,
    /// Branches of the guidance, each with a state of its own.
    pub(in crate::transformer) branches: u64,
}

impl CacheSizes {
    /// A stream of so many tokens.
    fn stream_bytes(&self, tokens: u64) -> u64 {
        tokens * self.hidden_size * self.kind_bytes
    }

    /// Both streams' residual of a block.
    pub(super) fn residual_bytes(&self) -> u64 {
        self.stream_bytes(self.image_tokens + self.context_tokens)
    }

    /// Keys and values of a block's conditioning tokens.
    pub(super) fn key_value_bytes(&self) -> u64 {
        let tokens = self.image_tokens - self.latent_tokens + self.context_tokens;
        2 * self.stream_bytes(tokens)
    }
}

impl StepCacheRule {
    /// Most bytes that the cache's state has on the device, of all branches.
    ///
    /// A cache of whole steps has, while a step is computed, the stream as it was before the blocks in the place of the
    /// residual. TeaCache and FBCache keep what they compare with, too. SimCache has the streams before the block that is
    /// being computed beside what its budget is for.
    pub(in crate::transformer) fn bytes(&self, sizes: &CacheSizes) -> u64 {
        let stream_bytes = sizes.stream_bytes(sizes.image_tokens);
        let of_blocks = |budget: super::rule::Budget, block_bytes: u64| {
            let budget = budget.of_branch(sizes.branches);
            let first = budget.first_kept(sizes.blocks as usize, block_bytes);
            (sizes.blocks - first as u64) * block_bytes
        };
        let of_branch = match self {
            Self::Off => 0,
            Self::MagCache(_) => stream_bytes,
            Self::TeaCache(_) | Self::FbCache(_) => 2 * stream_bytes,
            Self::SimCache(_, budget) => of_blocks(*budget, sizes.residual_bytes()),
            Self::KeyValues { budget, .. } => of_blocks(*budget, sizes.key_value_bytes()),
        };
        let of_a_block = match self {
            Self::SimCache(..) => sizes.residual_bytes(),
            _ => 0,
        };
        sizes.branches * of_branch + of_a_block
    }
}

#[cfg(test)]
mod tests {
    use framepack_jobs::StepCacheKind;

    use super::*;
    use crate::transformer::cache::rule::StepCacheWishes;

    /// The published model with a section of 640 px in bf16.
    const PUBLISHED: CacheSizes = CacheSizes {
        image_tokens: 17_500,
        latent_tokens: 13_680,
        context_tokens: 1241,
        hidden_size: 3072,
        kind_bytes: 2,
        blocks: 60,
        branches: 1,
    };

    #[test]
    fn bytes_of_the_published_model() {
        let two_gb = StepCacheWishes {
            budget_bytes: Some(2_000_000_000),
            ..StepCacheWishes::default()
        };
        let none = StepCacheWishes::default();
        for (kind, wishes, expected) in [
            (StepCacheKind::Off, none, 0),
            (StepCacheKind::TeaCache, none, 2 * 17_500 * 6144),
            (StepCacheKind::MagCache, none, 17_500 * 6144),
            (StepCacheKind::FbCache, none, 2 * 17_500 * 6144),
            (StepCacheKind::SimCache, none, 61 * 18_741 * 6144),
            (StepCacheKind::SimCache, two_gb, 18 * 18_741 * 6144),
            (StepCacheKind::Kv, none, 60 * 2 * 5061 * 6144),
            (StepCacheKind::Kv, two_gb, 32 * 2 * 5061 * 6144),
        ] {
            let rule = StepCacheRule::new(&wishes, kind);
            assert_eq!(rule.bytes(&PUBLISHED), expected, "{rule}");
            let both = CacheSizes {
                branches: 2,
                ..PUBLISHED
            };
            let of_both = rule.bytes(&both);
            // Of the block that is being computed, there is one.
            let shared = match kind {
                StepCacheKind::SimCache => 18_741 * 6144,
                _ => 0,
            };
            match wishes.budget_bytes {
                None => assert_eq!(of_both, 2 * expected - shared, "{rule}"),
                Some(budget) => assert!(of_both <= budget + shared, "{rule}"),
            }
        }
    }
}
