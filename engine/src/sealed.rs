//! Tensors as bytes: safetensors that say what they are and know their own checksum.
//!
//! The format itself tells a truncated file, and no more: a flipped bit of a value, or a file that was copied
//! to another's name, would be read without complaint.

use std::collections::{BTreeMap, HashMap};

use safetensors::{
    SafeTensors,
    tensor::{Dtype, TensorView, serialize},
};
use sha2::{Digest, Sha256};
use tch::{Kind, Tensor};

/// Tensors by name, on the CPU.
pub(crate) type Tensors = BTreeMap<String, Tensor>;

/// What was in a file.
#[derive(Debug)]
pub(crate) struct Unsealed {
    /// What it says that it is.
    pub(crate) what: String,
    /// SHA-256 over that and the tensors, in hexadecimal.
    pub(crate) sha256: String,
    pub(crate) tensors: Tensors,
}

/// The bytes of a file that is `what`, and its checksum.
pub(crate) fn seal(what: &str, tensors: &Tensors) -> Result<(Vec<u8>, String), String> {
    let parts = tensors.iter().map(|(name, tensor)| {
        let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        let shape: Vec<usize> = tensor.size().iter().map(|&n| n as usize).collect();
        Ok((name.as_str(), dtype(tensor.kind())?, shape, bytes))
    });
    let parts: Vec<_> = parts.collect::<Result<_, String>>()?;
    let views = parts.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(|e| e.to_string())?;
        Ok((*name, view))
    });
    let views: Vec<_> = views.collect::<Result<_, String>>()?;
    let sha256 = checksum(what, views.iter().map(|(name, view)| (*name, view)));
    let metadata = HashMap::from([
        ("what".to_owned(), what.to_owned()),
        ("sha256".to_owned(), sha256.clone()),
    ]);
    let bytes = serialize(views, Some(metadata)).map_err(|e| e.to_string())?;
    Ok((bytes, sha256))
}

/// What is in `bytes`, or what is wrong with them.
pub(crate) fn unseal(bytes: &[u8]) -> Result<Unsealed, String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let says = |name: &str| {
        let found = header.metadata().as_ref().and_then(|said| said.get(name));
        found.cloned().ok_or_else(|| format!("it has no {name}"))
    };
    let (what, sha256) = (says("what")?, says("sha256")?);
    let mut views: Vec<_> = file.iter().collect();
    views.sort_by_key(|(name, _)| *name);
    if sha256 != checksum(&what, views.iter().map(|(name, view)| (*name, view))) {
        return Err("its checksum is wrong".into());
    }
    let tensors = views.into_iter().map(|(name, view)| {
        let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
        let tensor = Tensor::from_data_size(view.data(), &shape, kind(view.dtype())?);
        Ok((name.to_owned(), tensor))
    });
    Ok(Unsealed {
        tensors: tensors.collect::<Result<_, String>>()?,
        what,
        sha256,
    })
}

/// SHA-256 over what a file is and its tensors in the order of their names, in hexadecimal.
fn checksum<'a>(
    what: &str,
    tensors: impl Iterator<Item = (&'a str, &'a TensorView<'a>)>,
) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{what:?}"));
    for (name, tensor) in tensors {
        hash.update(format!(
            "{name:?} {:?} {:?}",
            tensor.dtype(),
            tensor.shape()
        ));
        hash.update(tensor.data());
    }
    format!("{:x}", hash.finalize())
}

fn dtype(kind: Kind) -> Result<Dtype, String> {
    match kind {
        Kind::Float => Ok(Dtype::F32),
        Kind::BFloat16 => Ok(Dtype::BF16),
        Kind::Half => Ok(Dtype::F16),
        Kind::Uint8 => Ok(Dtype::U8),
        other => Err(format!("tensors of type {other:?} are not stored")),
    }
}

fn kind(dtype: Dtype) -> Result<Kind, String> {
    match dtype {
        Dtype::F32 => Ok(Kind::Float),
        Dtype::BF16 => Ok(Kind::BFloat16),
        Dtype::F16 => Ok(Kind::Half),
        Dtype::U8 => Ok(Kind::Uint8),
        other => Err(format!("tensors of type {other:?} are not stored")),
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    fn ramp() -> Tensor {
        Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 3])
    }

    fn sealed() -> (Vec<u8>, String) {
        seal("a ramp", &Tensors::from([("ramp".into(), ramp())])).unwrap()
    }

    #[test]
    fn what_was_sealed_comes_back() {
        let (bytes, sha256) = sealed();
        let found = unseal(&bytes).unwrap();
        assert_eq!((found.what.as_str(), &found.sha256), ("a ramp", &sha256));
        assert_eq!(found.tensors["ramp"], ramp());
    }

    #[test]
    fn any_byte_that_is_changed_or_missing_is_seen() {
        let (bytes, _) = sealed();
        for at in 0..bytes.len() {
            assert!(unseal(&bytes[..at]).is_err(), "cut at {at}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            // Blanks and the order of keys in the header are nobody's; what counts comes back as it was.
            if let Ok(found) = unseal(&damaged) {
                assert_eq!(found.what, "a ramp", "{at}");
                assert_eq!(found.tensors["ramp"], ramp(), "{at}");
            }
        }
    }
}
