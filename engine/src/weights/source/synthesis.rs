//! Random weights made from nothing: any configuration runs at full size without its files.
//!
//! A value depends only on the seed, the tensor's name and the element's index, and is the same bit for bit
//! on every device: a counter-based hash (the two-round multiply-xorshift permutation known as lowbias32,
//! with a second key between the rounds) gives 24 uniform bits, and one exactly rounded multiplication (and
//! for norm weights one addition) makes a float of them. All of it is plain tensor operations, evaluated
//! where the weights are wanted.

use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

/// Elements that share one pair of keys and are computed at once; bounds the temporary memory.
const CHUNK_ELEMENTS: i64 = 1 << 22;

/// Makes the tensor `name` of the component that `seed` stands for.
pub(in crate::weights) fn synthesise(
    seed: u64,
    name: &str,
    shape: &[i64],
    (kind, device): (Kind, Device),
) -> Tensor {
    let distribution = Distribution::of(name, shape);
    let elements: i64 = shape.iter().product();
    let tensor = Tensor::empty([elements], (kind, device));
    for (chunk, start) in (0..elements).step_by(CHUNK_ELEMENTS as usize).enumerate() {
        let len = CHUNK_ELEMENTS.min(elements - start);
        let values = distribution.apply(&hash(Keys::of(seed, name, chunk as u64), len, device));
        tensor.narrow(0, start, len).copy_(&values);
    }
    tensor.view(shape)
}

/// Uniform distribution of one tensor: `centre ± amplitude`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Distribution {
    centre: f32,
    amplitude: f32,
}

impl Distribution {
    /// Matrices and convolutions keep the variance of their input (`LeCun`), norm weights stay near one,
    /// biases are small.
    fn of(name: &str, shape: &[i64]) -> Self {
        if let [_, inputs @ ..] = shape
            && !inputs.is_empty()
        {
            let fan_in: i64 = inputs.iter().product();
            Self {
                centre: 0.0,
                amplitude: (3.0 / fan_in as f64).sqrt() as f32,
            }
        } else if name.ends_with("weight") {
            Self {
                centre: 1.0,
                amplitude: 0.1,
            }
        } else {
            Self {
                centre: 0.0,
                amplitude: 0.02,
            }
        }
    }

    /// Turns hashed i32 into f32. Each operation rounds once, so every device gives the same bits.
    fn apply(self, hashed: &Tensor) -> Tensor {
        let signed24 = hashed
            .bitwise_right_shift_tensor_scalar(8)
            .to_kind(Kind::Float); // exact
        let scaled = signed24 * f64::from(self.amplitude / 8_388_608.0); // 2^23
        if self.centre == 0.0 {
            scaled
        } else {
            scaled + f64::from(self.centre)
        }
    }
}

/// The two 32-bit keys of one chunk.
#[derive(Debug, Clone, Copy)]
struct Keys(i32, i32);

impl Keys {
    fn of(seed: u64, name: &str, chunk: u64) -> Self {
        let digest = Sha256::digest(format!("{seed}/{name}/{chunk}"));
        let word =
            |i: usize| i32::from_le_bytes([digest[i], digest[i + 1], digest[i + 2], digest[i + 3]]);
        Self(word(0), word(4))
    }
}

/// Hashes 0..len; i32 arithmetic that wraps, as on every device.
fn hash(keys: Keys, len: i64, device: Device) -> Tensor {
    let mut x = Tensor::arange(len, (Kind::Int, device));
    let _ = x.g_add_scalar_(i64::from(keys.0));
    xor_shift(&mut x, 16);
    let _ = x.g_mul_scalar_(0x21f0_aaad_i64);
    let _ = x.bitwise_xor_(i64::from(keys.1));
    xor_shift(&mut x, 15);
    let _ = x.g_mul_scalar_(0x735a_2d97_i64);
    xor_shift(&mut x, 15);
    x
}

/// `x ^= x >>> bits`; torch shifts signed integers arithmetically, so the sign is masked away.
fn xor_shift(x: &mut Tensor, bits: i64) {
    let shifted = x
        .bitwise_right_shift_tensor_scalar(bits)
        .bitwise_and((1_i64 << (32 - bits)) - 1);
    let _ = x.bitwise_xor_tensor_(&shifted);
}

#[cfg(test)]
mod tests {
    use super::*;

    const F32: (Kind, Device) = (Kind::Float, Device::Cpu);

    /// The same function on scalars, as the definition to hold the tensor version against.
    fn scalar(seed: u64, name: &str, shape: &[i64], index: i64) -> f32 {
        let Keys(k0, k1) = Keys::of(seed, name, (index / CHUNK_ELEMENTS) as u64);
        let mut x = ((index % CHUNK_ELEMENTS) as u32).wrapping_add(k0 as u32);
        x ^= x >> 16;
        x = x.wrapping_mul(0x21f0_aaad) ^ k1 as u32;
        x ^= x >> 15;
        x = x.wrapping_mul(0x735a_2d97);
        x ^= x >> 15;
        let distribution = Distribution::of(name, shape);
        let scaled = ((x as i32) >> 8) as f32 * (distribution.amplitude / 8_388_608.0);
        if distribution.centre == 0.0 {
            scaled
        } else {
            scaled + distribution.centre
        }
    }

    #[test]
    fn tensor_equals_scalar_definition_also_across_a_chunk_border() {
        let shape = [3, CHUNK_ELEMENTS / 2];
        let w = synthesise(7, "a.weight", &shape, F32).view([-1]);
        for index in [
            0,
            1,
            255,
            CHUNK_ELEMENTS - 1,
            CHUNK_ELEMENTS,
            CHUNK_ELEMENTS + 1,
            3 * CHUNK_ELEMENTS / 2 - 1,
        ] {
            let got = w.double_value(&[index]) as f32;
            assert_eq!(
                got.to_bits(),
                scalar(7, "a.weight", &shape, index).to_bits(),
                "element {index}"
            );
        }
        let norm = synthesise(7, "norm.weight", &[64], F32);
        let got = norm.double_value(&[63]) as f32;
        assert_eq!(got.to_bits(), scalar(7, "norm.weight", &[64], 63).to_bits());
    }

    #[test]
    fn matrices_have_the_variance_of_their_fan_in() {
        let w = synthesise(1, "x.weight", &[512, 768], F32);
        assert!((w.std(false).double_value(&[]) * 768_f64.sqrt() - 1.0).abs() < 0.01);
        assert!(w.mean(Kind::Float).double_value(&[]).abs() < 1e-3);
        let norm = synthesise(1, "norm.weight", &[4096], F32);
        assert!((norm.mean(Kind::Float).double_value(&[]) - 1.0).abs() < 0.01);
    }

    #[test]
    fn seed_name_and_index_all_matter() {
        let base = synthesise(1, "a.weight", &[64, 64], F32);
        assert_eq!(base, synthesise(1, "a.weight", &[64, 64], F32));
        for other in [
            synthesise(2, "a.weight", &[64, 64], F32),
            synthesise(1, "b.weight", &[64, 64], F32),
        ] {
            // Uncorrelated: |r| of 4096 samples is below 5 sigma = 5/64.
            let r = ((&base * &other).mean(Kind::Float) / (base.std(false) * other.std(false)))
                .double_value(&[]);
            assert!(r.abs() < 5.0 / 64.0, "correlation {r}");
        }
    }

    #[test]
    fn other_kinds_are_the_rounded_f32_values() {
        let exact = synthesise(1, "a.weight", &[33, 7], F32);
        for kind in [Kind::BFloat16, Kind::Half] {
            assert_eq!(
                synthesise(1, "a.weight", &[33, 7], (kind, Device::Cpu)),
                exact.to_kind(kind)
            );
        }
    }
}
