//! The tree of an mp4 file's header: boxes ("atoms") within boxes, each behind its size and a four-letter type.
//!
//! ISO/IEC 14496-12, section 4.2. Just enough to add to a tree that another program wrote.

use std::fmt;

/// Bytes of a size and a type.
const HEADER_BYTES: usize = 8;

/// The type of a box.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(pub(super) [u8; 4]);

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// A box: fields of its own, then boxes within it. A box that is not understood is all fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) kind: Kind,
    pub(super) fields: Vec<u8>,
    pub(super) children: Vec<Atom>,
}

/// How many bytes of fields precede the children of a box; `None` for a box without children.
fn container_fields(kind: Kind) -> Option<usize> {
    match &kind.0 {
        b"moov" | b"trak" | b"edts" | b"mdia" | b"minf" | b"stbl" | b"udta" | b"ilst" => Some(0),
        b"meta" => Some(4),
        b"stsd" => Some(8),
        b"avc1" => Some(78),
        _ => None,
    }
}

impl Atom {
    /// A box of fields.
    pub(super) fn leaf(kind: [u8; 4], fields: Vec<u8>) -> Self {
        Self {
            kind: Kind(kind),
            fields,
            children: Vec::new(),
        }
    }

    /// A box of boxes.
    pub(super) fn parent(kind: [u8; 4], children: Vec<Atom>) -> Self {
        Self {
            kind: Kind(kind),
            fields: Vec::new(),
            children,
        }
    }

    /// Reads boxes one after the other; `None` if their sizes do not fit.
    pub(super) fn parse_all(mut bytes: &[u8]) -> Option<Vec<Self>> {
        let mut atoms = Vec::new();
        while !bytes.is_empty() {
            let (atom, rest) = Self::parse(bytes)?;
            atoms.push(atom);
            bytes = rest;
        }
        Some(atoms)
    }

    fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let size = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
        let kind = Kind(*bytes.get(4..)?.first_chunk()?);
        let content = bytes.get(HEADER_BYTES..size)?;
        let fields_len = container_fields(kind).unwrap_or(content.len());
        let (fields, children) = content.split_at_checked(fields_len)?;
        let atom = Self {
            kind,
            fields: fields.to_vec(),
            children: Self::parse_all(children)?,
        };
        Some((atom, &bytes[size..]))
    }

    /// Size in the file, in bytes.
    pub(super) fn len(&self) -> usize {
        let children: usize = self.children.iter().map(Self::len).sum();
        HEADER_BYTES + self.fields.len() + children
    }

    /// Appends the box as it stands in a file.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let size = u32::try_from(self.len()).expect("a header of boxes is far below 4 GiB");
        out.extend(size.to_be_bytes());
        out.extend(self.kind.0);
        out.extend(&self.fields);
        for child in &self.children {
            child.write(out);
        }
    }

    /// The box reached by going down through the first child of each type.
    pub(super) fn descend(&mut self, path: &[&[u8; 4]]) -> Option<&mut Self> {
        path.iter().try_fold(self, |atom, kind| {
            atom.children
                .iter_mut()
                .find(|child| child.kind.0 == **kind)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_survives_writing_and_reading() {
        let leaf = Atom::leaf(*b"tkhd", vec![1, 2, 3]);
        let mut tree = Atom::parent(*b"moov", vec![Atom::parent(*b"trak", vec![leaf.clone()])]);
        let mut bytes = Vec::new();
        tree.write(&mut bytes);
        assert_eq!(bytes.len(), tree.len());
        assert_eq!(Atom::parse_all(&bytes).unwrap(), [tree.clone()]);
        assert_eq!(tree.descend(&[b"trak", b"tkhd"]), Some(&mut leaf.clone()));
        assert_eq!(tree.descend(&[b"trak", b"mdia"]), None);
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        for bytes in [
            &b"\0\0\0\x09moov"[..],
            b"\0\0\0\x07moov",
            b"\0\0\0\x0Cmoov\0\0\0\x09",
            b"\0\0",
        ] {
            assert_eq!(Atom::parse_all(bytes), None, "{bytes:?}");
        }
    }
}
