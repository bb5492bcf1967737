//! The safetensors files of a component: which there are, what is in them, and the bytes of one tensor.

mod index;
mod shard;
mod shards;

pub(super) use self::shards::Shards;
pub(super) use self::shards::stored_elements;
pub(crate) use self::shards::weight_files;
