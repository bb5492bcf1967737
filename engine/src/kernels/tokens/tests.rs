//! Torch's operations of this folder against the layers that they replace; the CUDA source compiles.

use tch::{Device, Kind, Tensor};

use super::{
    join::Attended,
    rotate::HeadNorms,
    source::{per_head, per_token},
    *,
};
use crate::{
    kernels::launch::{Kernels, compile_everywhere},
    nn::RmsNorm,
};

fn random(shape: &[i64]) -> Tensor {
    Tensor::randn(shape, (Kind::BFloat16, Device::Cpu))
}

#[test]
fn sources_compile_for_every_architecture_without_a_device() {
    for (kind, channels) in [
        (Kind::BFloat16, 3072),
        (Kind::Half, 256),
        (Kind::Float, 6),
        (Kind::BFloat16, 3),
    ] {
        let (variant, _) = per_token(c"add_gated_norm", kind, channels).unwrap();
        compile_everywhere(&variant);
    }
    for (kind, head_dim) in [(Kind::BFloat16, 128), (Kind::Half, 6), (Kind::Float, 256)] {
        compile_everywhere(&per_head(c"norm_rotate", kind, head_dim).unwrap());
        compile_everywhere(&per_head(c"join_attended", kind, head_dim).unwrap());
    }
}

#[test]
fn what_no_kernel_takes_is_left_to_torch() {
    for head_dim in [5, 7, 264, 1024] {
        assert!(
            per_head(c"norm_rotate", Kind::BFloat16, head_dim).is_none(),
            "{head_dim}"
        );
    }
    assert!(per_head(c"norm_rotate", Kind::Int, 128).is_none());
    assert!(per_token(c"add_gated", Kind::Int, 128).is_none());
    assert!(per_token(c"modulated_norm", Kind::BFloat16, 16_384).is_none());
    assert!(per_token(c"modulated_norm", Kind::BFloat16, 8192).is_some());
}

#[test]
fn a_block_goes_through_a_whole_token() {
    for (channels, expected) in [(3072, 128), (256, 32), (264, 64), (6, 32), (1, 32)] {
        let (_, threads) = per_token(c"add_gated", Kind::Float, channels).unwrap();
        assert_eq!(threads, expected, "{channels}");
    }
}

#[test]
fn operations_of_torch_are_the_layers_bit_for_bit() {
    let kernels = Kernels::new(Device::Cpu);
    let [x, y] = [(); 2].map(|()| random(&[1, 11, 48]));
    let [gate, shift, scale] = [(); 3].map(|()| random(&[1, 1, 48]));
    let sum = x.empty_like();
    kernels.add_gated(&x, &y, &gate, &sum);
    assert_eq!(sum, add_gated(&x, &y, &gate));
    let [both, normed] = kernels.add_gated_norm((&x, &y, &gate), [&shift, &scale], 1e-6);
    assert_eq!(both, sum);
    assert_eq!(normed, modulated_norm(&sum, [&shift, &scale], 1e-6));
    assert_eq!(normed, kernels.modulated_norm(&sum, [&shift, &scale], 1e-6));
}

#[test]
fn tokens_are_normed_and_the_first_ones_rotated() {
    let kernels = Kernels::new(Device::Cpu);
    // More tokens than torch's operations take at once.
    let (tokens, rotated) = (5000, 4100);
    let [q, k] = [(); 2].map(|()| random(&[1, tokens, 2, 8]));
    let [norm_q, norm_k] = [(); 2].map(|()| RmsNorm::new(random(&[8]), 1e-6));
    let angles = [(); 2].map(|()| random(&[1, rotated, 1, 8]).to_kind(Kind::Float));
    let [found_q, found_k] = [q.copy(), k.copy()];
    let norms = HeadNorms {
        queries: &norm_q,
        keys: &norm_k,
    };
    kernels.norm_rotate([&found_q, &found_k], norms, Some(angles.each_ref()));
    for (x, norm, found) in [(&q, &norm_q, &found_q), (&k, &norm_k, &found_k)] {
        let normed = norm.forward(x);
        let first = rotate_pairs(&normed.narrow(1, 0, rotated), angles.each_ref());
        let others = normed.narrow(1, rotated, tokens - rotated);
        assert_eq!(*found, Tensor::cat(&[first, others], 1));
    }
    let text = k.copy();
    kernels.norm_rotate([&q.copy(), &text], norms, None);
    assert_eq!(text, norm_k.forward(&k));
}

#[test]
fn attention_of_two_sets_of_keys_is_that_of_both() {
    let kernels = Kernels::new(Device::Cpu);
    let [q, k, v] = [(); 3].map(|()| random(&[1, 3, 9, 8]).to_kind(Kind::Float));
    let of = |first, count| {
        let scores = q.matmul(&k.narrow(2, first, count).transpose(2, 3)) * 3.0;
        Attended {
            values: scores
                .softmax(-1, Kind::Float)
                .matmul(&v.narrow(2, first, count)),
            logarithms: scores.logsumexp([-1_i64], true),
        }
    };
    for first in [1, 5, 8] {
        let joined = kernels.join_attended(of(0, first), &of(first, 9 - first));
        let apart = (joined - of(0, 9).values).abs().max().double_value(&[]);
        assert!(apart < 1e-6, "{first}: {apart}");
    }
}
