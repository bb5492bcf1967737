//! Classes of shapes among which one backend is the best.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

/// What the choice of a backend depends on besides the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Type of queries, keys and values.
    #[serde(rename = "dtype", with = "dtype")]
    pub kind: Kind,
    /// Number of heads.
    pub heads: i64,
    /// Channels of a head.
    pub head_dim: i64,
    /// Tokens of the sequence, rounded up to a power of two.
    pub tokens: u64,
}

impl Class {
    /// The class of `tokens` tokens that attend to each other in `heads` heads of `head_dim` channels.
    pub fn new(kind: Kind, [heads, head_dim]: [i64; 2], tokens: u64) -> Self {
        Self {
            kind,
            heads,
            head_dim,
            tokens: tokens.next_power_of_two(),
        }
    }

    /// An operand of few tokens, (1, heads, L, `head_dim`), of the strides that the transformer's have.
    pub(super) fn probe(&self, device: Device) -> Tensor {
        const TOKENS: i64 = 130; // no multiple of a kernel's block
        let shape = [1, TOKENS, self.heads, self.head_dim];
        Tensor::zeros(shape, (self.kind, device)).transpose(1, 2)
    }
}

/// Types of tensors as files name them.
pub(crate) mod dtype {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use tch::Kind;

    const NAMES: [(&str, Kind); 3] = [
        ("f32", Kind::Float),
        ("bf16", Kind::BFloat16),
        ("f16", Kind::Half),
    ];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
        let named = NAMES.iter().find(|(_, known)| known == kind);
        let (name, _) = named.expect("models compute in one of these types");
        serializer.serialize_str(name)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Kind, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = NAMES.iter().find(|(known, _)| *known == name);
        let unknown = || D::Error::custom(format!("{name:?} is no dtype"));
        Ok(known.ok_or_else(unknown)?.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_class_and_others_do_not() {
        let class = |kind, tokens| Class::new(kind, [24, 128], tokens);
        let published = class(Kind::BFloat16, 18_012);
        assert_eq!(published.tokens, 32_768);
        assert_eq!(published, class(Kind::BFloat16, 18_912));
        assert_eq!(published, class(Kind::BFloat16, 32_768));
        for other in [
            class(Kind::BFloat16, 16_384),
            class(Kind::Half, 18_012),
            Class::new(Kind::BFloat16, [12, 128], 18_012),
            Class::new(Kind::BFloat16, [24, 64], 18_012),
        ] {
            assert_ne!(published, other);
        }
    }

    #[test]
    fn a_file_names_a_class_and_its_dtype() {
        let class = Class::new(Kind::BFloat16, [24, 128], 18_012);
        let json =
            serde_json::json!({"dtype": "bf16", "heads": 24, "head_dim": 128, "tokens": 32_768});
        assert_eq!(serde_json::to_value(class).unwrap(), json);
        assert_eq!(serde_json::from_value::<Class>(json).unwrap(), class);
        let later =
            serde_json::json!({"dtype": "f4", "heads": 24, "head_dim": 128, "tokens": 32_768});
        let error = serde_json::from_value::<Class>(later).unwrap_err();
        assert!(error.to_string().contains("f4"), "{error}");
    }
}
