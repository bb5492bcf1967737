//! Named tensors in safetensors files: a component's arguments and results.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use tch::{Device, Kind, Tensor};

/// The arguments of a component, under the reference's names.
#[derive(Debug)]
pub(crate) struct Inputs {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
    asked: RefCell<BTreeSet<String>>,
    /// Type that floats are cast to.
    kind: Kind,
    device: Device,
}

impl Inputs {
    /// Reads all tensors of a file.
    pub(crate) fn read(path: &Path, kind: Kind, device: Device) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let file = SafeTensors::deserialize(&bytes)
            .with_context(|| format!("parsing {}", path.display()))?;
        let tensors = file
            .tensors()
            .into_iter()
            .map(|(name, view)| {
                let tensor = to_tensor(&view)
                    .with_context(|| format!("{}: tensor {name}", path.display()))?;
                Ok((name, tensor.to_device(device)))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            path: path.into(),
            tensors,
            asked: RefCell::default(),
            kind,
            device,
        })
    }

    /// Type that floats are cast to: the model's.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Where the tensors are.
    pub(crate) fn device(&self) -> Device {
        self.device
    }

    /// A float tensor in the model's type.
    pub(crate) fn float(&self, name: &str) -> anyhow::Result<Tensor> {
        self.required(name, self.float_or_none(name)?)
    }

    /// A float tensor in the model's type, `None` where the reference's argument would be.
    pub(crate) fn float_or_none(&self, name: &str) -> anyhow::Result<Option<Tensor>> {
        Ok(self.exact_or_none(name)?.map(|t| t.to_kind(self.kind)))
    }

    /// A float tensor with the values as stored, in f32.
    pub(crate) fn exact_or_none(&self, name: &str) -> anyhow::Result<Option<Tensor>> {
        let Some(tensor) = self.stored(name) else {
            return Ok(None);
        };
        let kind = tensor.kind();
        ensure!(
            matches!(kind, Kind::Float | Kind::Half | Kind::BFloat16),
            "{}: {name} is {kind:?}, expected F32, F16 or BF16",
            self.path.display()
        );
        Ok(Some(tensor.to_kind(Kind::Float)))
    }

    /// Like [`Self::exact_or_none`], where the argument is not optional.
    pub(crate) fn exact(&self, name: &str) -> anyhow::Result<Tensor> {
        self.required(name, self.exact_or_none(name)?)
    }

    /// An i64 tensor.
    pub(crate) fn indices(&self, name: &str) -> anyhow::Result<Tensor> {
        self.required(name, self.indices_or_none(name)?)
    }

    /// An i64 tensor, `None` where the reference's argument would be.
    pub(crate) fn indices_or_none(&self, name: &str) -> anyhow::Result<Option<Tensor>> {
        let tensor = self.stored(name);
        if let Some(kind) = tensor.map(Tensor::kind).filter(|kind| *kind != Kind::Int64) {
            bail!("{}: {name} is {kind:?}, expected I64", self.path.display());
        }
        Ok(tensor.map(Tensor::shallow_clone))
    }

    /// A mask as booleans: whatever is not zero is valid.
    pub(crate) fn mask_or_none(&self, name: &str) -> Option<Tensor> {
        self.stored(name).map(|mask| mask.ne(0))
    }

    /// Fails when the file holds something that nobody asked for, such as a misspelt optional argument.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        let asked = self.asked.borrow();
        match self.tensors.keys().find(|name| !asked.contains(*name)) {
            None => Ok(()),
            Some(name) => {
                bail!(
                    "{}: {name} is not an argument; arguments are {asked:?}",
                    self.path.display()
                )
            }
        }
    }

    fn stored(&self, name: &str) -> Option<&Tensor> {
        self.asked.borrow_mut().insert(name.into());
        self.tensors.get(name)
    }

    fn required(&self, name: &str, tensor: Option<Tensor>) -> anyhow::Result<Tensor> {
        tensor.with_context(|| format!("{} lacks {name}", self.path.display()))
    }
}

fn to_tensor(view: &TensorView<'_>) -> anyhow::Result<Tensor> {
    let kind = match view.dtype() {
        Dtype::F32 => Kind::Float,
        Dtype::F16 => Kind::Half,
        Dtype::BF16 => Kind::BFloat16,
        Dtype::I64 => Kind::Int64,
        Dtype::U8 => Kind::Uint8,
        Dtype::BOOL => Kind::Bool,
        other => bail!("type {other:?} is not supported, expected F32, F16, BF16, I64, U8 or BOOL"),
    };
    let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
    Ok(Tensor::from_data_size(view.data(), &shape, kind))
}

/// The results of a component, by name.
pub(crate) type Outputs = Vec<(&'static str, Tensor)>;

/// Writes tensors as f32.
pub(crate) fn write(path: &Path, tensors: Outputs) -> anyhow::Result<()> {
    let stored: Vec<(&str, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, tensor)| {
            let tensor = tensor
                .to_device(Device::Cpu)
                .to_kind(Kind::Float)
                .contiguous();
            let mut bytes = vec![0; 4 * tensor.numel()];
            tensor.copy_data_u8(&mut bytes, tensor.numel());
            (
                name,
                tensor.size().into_iter().map(|n| n as usize).collect(),
                bytes,
            )
        })
        .collect();
    let views = stored
        .iter()
        .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    safetensors::serialize_to_file(views, None, path)
        .with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(tensors: &[(&str, Tensor)]) -> Inputs {
        Inputs {
            path: "in.safetensors".into(),
            tensors: tensors
                .iter()
                .map(|(n, t)| ((*n).to_owned(), t.shallow_clone()))
                .collect(),
            asked: RefCell::default(),
            kind: Kind::BFloat16,
            device: Device::Cpu,
        }
    }

    #[test]
    fn floats_are_cast_exact_values_are_not_and_masks_become_booleans() {
        let inputs = inputs(&[
            ("t", Tensor::from_slice(&[873.25_f32])),
            ("mask", Tensor::from_slice(&[2.0_f32, 0.0])),
        ]);
        assert_eq!(inputs.float("t").unwrap().kind(), Kind::BFloat16);
        assert_eq!(
            inputs.exact("t").unwrap().double_value(&[0]).to_bits(),
            873.25_f64.to_bits()
        );
        assert_eq!(
            inputs.mask_or_none("mask").unwrap(),
            Tensor::from_slice(&[true, false])
        );
        assert!(inputs.mask_or_none("absent").is_none());
        inputs.finish().unwrap();
    }

    #[test]
    fn what_is_missing_mistyped_or_unknown_is_named() {
        let inputs = inputs(&[("latents", Tensor::from_slice(&[1_i64]))]);
        let message = |error: anyhow::Error| error.to_string();
        assert!(message(inputs.float("noise").unwrap_err()).contains("lacks noise"));
        assert!(message(inputs.finish().unwrap_err()).contains("latents is not an argument"));
        assert!(message(inputs.float("latents").unwrap_err()).contains("latents is Int64"));
    }

    #[test]
    fn written_tensors_are_read_back_as_f32() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let tensor = Tensor::arange(6, (Kind::Half, Device::Cpu))
            .view([2, 3])
            .transpose(0, 1);
        write(&path, vec![("x", tensor.shallow_clone())]).unwrap();
        let inputs = Inputs::read(&path, Kind::Float, Device::Cpu).unwrap();
        assert_eq!(inputs.float("x").unwrap(), tensor.to_kind(Kind::Float));
    }
}
