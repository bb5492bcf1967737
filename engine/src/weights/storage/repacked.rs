//! The bytes of a tensor on their way into a block, of which any run can be had by itself: what is converted on the way
//! is never in memory as a whole.

use std::borrow::Cow;

use tch::Kind;

use super::plain;

/// A tensor's bytes in the type in which its block holds them.
#[derive(Debug)]
pub(crate) struct Repacked<'a>(Bytes<'a>);

#[derive(Debug)]
enum Bytes<'a> {
    /// As they are in memory.
    There(Cow<'a, [u8]>),
    /// Of another type, which is converted where it is written.
    Converted {
        stored: &'a [u8],
        from: Kind,
        to: Kind,
    },
}

impl<'a> Repacked<'a> {
    /// Most memory that [`Self::write`] takes beside what it writes to.
    pub(crate) const WRITING_BYTES: usize = plain::CONVERSION_BYTES;

    /// What is in memory as it is wanted.
    pub(crate) fn there(bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Self(Bytes::There(bytes.into()))
    }

    pub(super) fn converted(stored: &'a [u8], from: Kind, to: Kind) -> Self {
        Self(Bytes::Converted { stored, from, to })
    }

    /// Bytes in the wanted type.
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Bytes::There(bytes) => bytes.len(),
            Bytes::Converted { stored, from, to } => {
                stored.len() / from.elt_size_in_bytes() * to.elt_size_in_bytes()
            }
        }
    }

    /// All of them, where they are in memory; `None` where they have to be written.
    pub(crate) fn as_there(&self) -> Option<&[u8]> {
        match &self.0 {
            Bytes::There(bytes) => Some(bytes),
            Bytes::Converted { .. } => None,
        }
    }

    /// What they take of memory themselves: they were made.
    pub(crate) fn made_bytes(&self) -> usize {
        match &self.0 {
            Bytes::There(Cow::Owned(made)) => made.len(),
            Bytes::There(Cow::Borrowed(_)) | Bytes::Converted { .. } => 0,
        }
    }

    /// Writes those from `start` on, as many as `to` takes. Both count whole numbers of any type.
    pub(crate) fn write(&self, start: usize, to: &mut [u8]) {
        match &self.0 {
            Bytes::There(bytes) => to.copy_from_slice(&bytes[start..][..to.len()]),
            Bytes::Converted {
                stored,
                from,
                to: kind,
            } => {
                let (stored_size, size) = (from.elt_size_in_bytes(), kind.elt_size_in_bytes());
                let stored = &stored[start / size * stored_size..][..to.len() / size * stored_size];
                plain::convert(stored, (*from, *kind), to);
            }
        }
    }
}
