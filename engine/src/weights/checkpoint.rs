//! One component's weights as a source of named tensors that remembers what was taken from it.

use std::{cell::RefCell, collections::BTreeMap, fmt::Display, path::Path, sync::Arc};

use tch::{Device, Kind, Tensor};

use super::{
    error::WeightsError, layout::Layout, packing::Packing, shards::Shards, synthesis::synthesise,
};

/// The weights of one component.
#[derive(Debug)]
pub struct Checkpoint {
    source: Source,
    /// Names and shapes handed out so far.
    taken: RefCell<BTreeMap<String, Vec<i64>>>,
    /// Places whose tensors are known to be unused, each with a dot at its end.
    skipped: RefCell<Vec<String>>,
}

#[derive(Debug)]
enum Source {
    Stored {
        origin: Origin,
        ignored: fn(&str) -> bool,
    },
    Packed {
        packing: Arc<Packing>,
        buffer: Tensor,
    },
}

/// What the values of a checkpoint's tensors come from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    Files(Arc<Shards>),
    Synthesised { seed: u64 },
    Shapes,
}

impl Checkpoint {
    /// Opens the safetensors in `dir`; reads headers only.
    pub fn open(dir: &Path, layout: &Layout) -> Result<Self, WeightsError> {
        let shards = Arc::new(Shards::open(dir, layout)?);
        Ok(Self::new(Source::Stored {
            origin: Origin::Files(shards),
            ignored: layout.ignored,
        }))
    }

    /// Weights made from `seed`: every name exists, in whatever shape is asked for.
    pub fn synthesised(seed: u64) -> Self {
        Self::made(Origin::Synthesised { seed })
    }

    /// Names and shapes only: every tensor is zeros and takes no memory. For asking a model what it needs.
    pub fn shapes() -> Self {
        Self::made(Origin::Shapes)
    }

    /// One block's tensors as views of the buffer that holds them.
    pub(super) fn packed(packing: Arc<Packing>, buffer: Tensor) -> Self {
        Self::new(Source::Packed { packing, buffer })
    }

    fn made(origin: Origin) -> Self {
        Self::new(Source::Stored {
            origin,
            ignored: |_| false,
        })
    }

    fn new(source: Source) -> Self {
        Self {
            source,
            taken: RefCell::default(),
            skipped: RefCell::default(),
        }
    }

    /// The root of the tree of names, with the device and the type that tensors are wanted in.
    pub fn weights(&self, device: Device, kind: Kind) -> Weights<'_> {
        Weights {
            checkpoint: self,
            path: String::new(),
            kind,
            device,
        }
    }

    /// Names and shapes of all tensors taken so far.
    pub fn taken(&self) -> BTreeMap<String, Vec<i64>> {
        self.taken.borrow().clone()
    }

    /// Names and numbers of elements of all tensors in the files, as their headers say; none where there are no files.
    /// What is known to be unused is left out.
    pub fn stored_elements(&self) -> BTreeMap<String, u64> {
        let Source::Stored {
            origin: Origin::Files(shards),
            ignored,
        } = &self.source
        else {
            return BTreeMap::new();
        };
        let elements = |shape: Vec<i64>| shape.iter().product::<i64>().unsigned_abs();
        let used = shards.list().filter(|(name, ..)| !ignored(name));
        used.map(|(name, shape, _)| (name.to_owned(), elements(shape)))
            .collect()
    }

    /// Ends loading: a tensor that was neither taken nor is known to be unused is an error.
    pub fn finish(&self) -> Result<(), WeightsError> {
        let Source::Stored {
            origin: Origin::Files(shards),
            ignored,
        } = &self.source
        else {
            return Ok(());
        };
        let (taken, skipped) = (self.taken.borrow(), self.skipped.borrow());
        let is_known = |name: &str| {
            taken.contains_key(name)
                || skipped.iter().any(|place| name.starts_with(place))
                || ignored(name)
        };
        let mut unused = shards.list().filter(|(name, ..)| !is_known(name));
        match unused.next() {
            None => Ok(()),
            Some((tensor, found, path)) => Err(WeightsError::Unused {
                path: path.into(),
                tensor: tensor.into(),
                found,
                count: 1 + unused.count(),
            }),
        }
    }

    pub(super) fn skip(&self, place: &str) {
        self.skipped.borrow_mut().push(format!("{place}."));
    }

    pub(super) fn take(
        &self,
        name: &str,
        shape: &[i64],
        options: (Kind, Device),
    ) -> Result<Tensor, WeightsError> {
        let tensor = match &self.source {
            Source::Packed { packing, buffer } => return Ok(packing.view(name, buffer)),
            Source::Stored { origin, .. } => match origin {
                Origin::Files(shards) => shards.stored(name, shape)?.read(options),
                Origin::Synthesised { seed } => synthesise(*seed, name, shape, options),
                Origin::Shapes => Tensor::zeros([1], options).expand(shape, false),
            },
        };
        self.taken.borrow_mut().insert(name.into(), shape.into());
        Ok(tensor)
    }

    /// Checks that the tensor `name` is there without reading it, and counts it as taken.
    pub(super) fn declare(&self, name: &str, shape: &[i64]) -> Result<(), WeightsError> {
        if let Origin::Files(shards) = self.origin() {
            shards.stored(name, shape)?;
        }
        self.taken.borrow_mut().insert(name.into(), shape.into());
        Ok(())
    }

    pub(super) fn origin(&self) -> Origin {
        match &self.source {
            Source::Stored { origin, .. } => origin.clone(),
            Source::Packed { .. } => unreachable!("a block has no blocks of its own"),
        }
    }
}

/// A place in a checkpoint's tree of names.
#[derive(Debug, Clone)]
pub struct Weights<'a> {
    checkpoint: &'a Checkpoint,
    path: String,
    kind: Kind,
    device: Device,
}

impl Weights<'_> {
    /// The place `part` below this one.
    #[must_use]
    pub fn pp(&self, part: impl Display) -> Self {
        Self {
            path: self.full_name(part),
            ..self.clone()
        }
    }

    /// The tensor `name` below this place, checked against `shape`, as [`Self::kind`] on [`Self::device`].
    pub fn get(&self, name: &str, shape: &[i64]) -> Result<Tensor, WeightsError> {
        self.checkpoint
            .take(&self.full_name(name), shape, (self.kind, self.device))
    }

    /// Checks that the tensor `name` below this place is there, without reading it: it will be read later.
    pub(super) fn declare(&self, name: &str, shape: &[i64]) -> Result<(), WeightsError> {
        self.checkpoint.declare(&self.full_name(name), shape)
    }

    /// Declares that what is below this place is not needed: it may be there or not.
    pub fn skip(&self) {
        self.checkpoint.skip(&self.path);
    }

    /// Where the tensors go.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Type of the tensors.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of this place in the checkpoint.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// What the checkpoint's values come from.
    pub(super) fn origin(&self) -> Origin {
        self.checkpoint.origin()
    }

    fn full_name(&self, part: impl Display) -> String {
        join(&self.path, part)
    }
}

/// The name of `part` below `path`; the root has an empty path.
pub(super) fn join(path: &str, part: impl Display) -> String {
    if path.is_empty() {
        part.to_string()
    } else {
        format!("{path}.{part}")
    }
}
