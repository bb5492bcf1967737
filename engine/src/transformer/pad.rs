//! Latents filled up to whole patches.

use tch::Tensor;

/// Repeats the last values of (B, C, T, H, W) at the end of each axis up to a multiple of `block`.
pub(super) fn pad_to_multiple(x: &Tensor, block: [i64; 3]) -> Tensor {
    let (.., t, h, w) = x.size5().expect("latents and tables have five axes");
    let [pt, ph, pw] =
        [(t, block[0]), (h, block[1]), (w, block[2])].map(|(size, k)| (k - size % k) % k);
    if [pt, ph, pw] == [0, 0, 0] {
        return x.shallow_clone();
    }
    x.replication_pad3d([0, pw, 0, ph, 0, pt])
}
