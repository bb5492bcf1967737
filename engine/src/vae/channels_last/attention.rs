//! Attention of each frame over itself and the frames before.

use tch::{Kind, Tensor};

use super::frames::PackedFrames;
use crate::{
    nn::{GroupNorm, Linear, attention},
    vae::steps::Along,
};

/// Most bytes of the scores that are computed at once.
const SCORES_BYTES: i64 = 256 << 20;

/// The layers of an attention with one head.
pub(in crate::vae) struct Layers<'a> {
    pub(in crate::vae) norm: &'a GroupNorm,
    /// Of queries, keys and values.
    pub(in crate::vae) inputs: [&'a Linear; 3],
    pub(in crate::vae) output: &'a Linear,
}

/// (T, H, W, C) → same, with the input added.
pub(in crate::vae) fn attended(layers: &Layers<'_>, frames: PackedFrames) -> PackedFrames {
    let normed = frames.scaling(layers.norm, &mut Along::AllFrames);
    let PackedFrames { x, kernels, .. } = frames;
    let size = x.size();
    let (count, frame_len, channels) = (size[0], size[1] * size[2], size[3]);
    let tokens = x.view([-1, channels]) * normed.scale + normed.shift; // (N, C) f32, N = T·H·W
    let tokens = tokens.to_kind(layers.inputs[0].kind());
    let [q, k, v] = layers.inputs.map(|linear| linear.forward(&tokens));
    let attended: Vec<_> = (0..count)
        .map(|frame| {
            let seen = (frame + 1) * frame_len;
            let q = q.narrow(0, frame * frame_len, frame_len);
            one_head(&q, &k.narrow(0, 0, seen), &v.narrow(0, 0, seen))
        })
        .collect();
    let out = layers.output.forward(&Tensor::cat(&attended, 0)); // (N, C)
    let no_bias = Tensor::zeros([channels], (Kind::Float, x.device()));
    let (x, moments) = kernels.add(x, &out.view(size.as_slice()), &no_bias);
    PackedFrames {
        x,
        moments: Some(moments),
        kernels,
    }
}

/// `softmax(q kᵀ / √C) v`, each (N, C). Fused kernels of CUDA are slow or missing for so wide a head: two products with
/// their scores in f32 are several times as fast.
fn one_head(q: &Tensor, k: &Tensor, v: &Tensor) -> Tensor {
    let is_half = matches!(q.kind(), Kind::Half | Kind::BFloat16);
    if !(q.device().is_cuda() && is_half) {
        let [q, k, v] = [q, k, v].map(|x| x.unsqueeze(0).unsqueeze(0)); // (1, 1, N, C)
        return attention(&q, &k, &v, None).squeeze_dim(0).squeeze_dim(0);
    }
    let (queries, keys, channels) = (q.size()[0], k.size()[0], q.size()[1]);
    let scale = (channels as f64).powf(-0.5);
    let at_once = (SCORES_BYTES / (4 * keys)).clamp(1, queries);
    let chunks = q.split(at_once, 0).into_iter().map(|q| {
        let scores = q.mm_dtype(&k.transpose(0, 1), Kind::Float) * scale;
        scores.softmax(-1, Kind::Float).to_kind(v.kind()).mm(v)
    });
    Tensor::cat(&chunks.collect::<Vec<_>>(), 0)
}
