//! An entry as bytes: safetensors that know their own key and checksum.
//!
//! The format itself tells a truncated file, and no more: a flipped bit of a value, or a file that was copied
//! to another's name, would be read without complaint.

use std::collections::HashMap;

use safetensors::{
    SafeTensors,
    tensor::{Dtype, TensorView, serialize},
};
use sha2::{Digest, Sha256};
use tch::{Kind, Tensor};

use super::{Entry, Key};

/// The bytes of an entry.
pub(super) fn encode(key: Key, entry: &Entry) -> Result<Vec<u8>, String> {
    let parts = entry.iter().map(|(name, tensor)| {
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
    let metadata = HashMap::from([
        ("key".to_owned(), key.to_string()),
        (
            "sha256".to_owned(),
            checksum(views.iter().map(|(name, view)| (*name, view))),
        ),
    ]);
    serialize(views, Some(metadata)).map_err(|e| e.to_string())
}

/// The entry in `bytes`, or what is wrong with them.
pub(super) fn decode(key: Key, bytes: &[u8]) -> Result<Entry, String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let says = |name| {
        header
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(name))
    };
    if says("key") != Some(&key.to_string()) {
        return Err("it is another entry".into());
    }
    let mut views: Vec<_> = tensors.iter().collect();
    views.sort_by_key(|(name, _)| *name);
    if says("sha256") != Some(&checksum(views.iter().map(|(name, view)| (*name, view)))) {
        return Err("its checksum is wrong".into());
    }
    views
        .into_iter()
        .map(|(name, view)| {
            let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
            let tensor = Tensor::from_data_size(view.data(), &shape, kind(view.dtype())?);
            Ok((name.to_owned(), tensor))
        })
        .collect()
}

/// SHA-256 over tensors in the order of their names, in hexadecimal.
fn checksum<'a>(tensors: impl Iterator<Item = (&'a str, &'a TensorView<'a>)>) -> String {
    let mut hash = Sha256::new();
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
        other => Err(format!("{other:?} is no type of an embedding")),
    }
}

fn kind(dtype: Dtype) -> Result<Kind, String> {
    match dtype {
        Dtype::F32 => Ok(Kind::Float),
        Dtype::BF16 => Ok(Kind::BFloat16),
        Dtype::F16 => Ok(Kind::Half),
        other => Err(format!("{other:?} is no type of an embedding")),
    }
}
