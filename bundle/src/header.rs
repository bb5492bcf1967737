//! The tensors of a safetensors file, and how long it has to be: eight bytes with the header's length, the header (JSON), the data.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

use framepack_jobs::Code;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A header is a table of tensors; those of the largest models have a few hundred kilobytes.
const MAX_HEADER_BYTES: u64 = 100 << 20;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its tensors by their names.
    pub tensors: BTreeMap<String, Tensor>,
}

/// A tensor, as a header describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tensor {
    /// The type of its values, as in `BF16`.
    #[serde(default)]
    pub dtype: String,
    /// Its sizes.
    #[serde(default)]
    pub shape: Vec<u64>,
}

/// What is wrong with a file: the code, and the words behind its name.
pub type Fault = (Code, String);

impl Header {
    /// Reads the header of a file and compares the file's length with it.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let unreadable =
            |error: io::Error| (Code::WEIGHTS_UNREADABLE, format!("can't be read: {error}"));
        let file = File::open(path).map_err(unreadable)?;
        let found = file.metadata().map_err(unreadable)?.len();
        let malformed = |reason: &str| {
            let reason = format!("is not a valid safetensors file: {reason}");
            (Code::WEIGHTS_MALFORMED, reason)
        };
        let mut length = [0; 8];
        (&file)
            .read_exact(&mut length)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => ends_in_header(found),
                _ => unreadable(error),
            })?;
        let header_bytes = u64::from_le_bytes(length);
        if header_bytes > MAX_HEADER_BYTES {
            return Err(malformed("its header would be too long"));
        }
        if 8 + header_bytes > found {
            return Err(ends_in_header(found));
        }
        let mut header = vec![0; header_bytes as usize];
        (&file).read_exact(&mut header).map_err(unreadable)?;
        let mut header: Map<String, Value> =
            serde_json::from_slice(&header).map_err(|error| malformed(&error.to_string()))?;
        header.remove("__metadata__");
        let mut ends = header
            .values()
            .map(|tensor| tensor["data_offsets"][1].as_u64());
        let data_bytes = ends.try_fold(0, |most: u64, end| end.map(|end| most.max(end)));
        let data_bytes = data_bytes.ok_or_else(|| malformed("a tensor has no offsets"))?;
        let expected = (8 + header_bytes).saturating_add(data_bytes);
        if found < expected {
            return Err(truncated(expected, found));
        }
        if found > expected {
            let reason = format!("it has {found} bytes, and {expected} by its header");
            return Err(malformed(&reason));
        }
        let tensors = serde_json::from_value(Value::Object(header));
        Ok(Self {
            tensors: tensors.map_err(|error| malformed(&error.to_string()))?,
        })
    }
}

fn truncated(expected: u64, found: u64) -> Fault {
    let reason = format!("is truncated: it should be {expected} bytes long, found {found}");
    (Code::WEIGHTS_TRUNCATED, reason)
}

/// How long it should be is in the part of the header that is missing.
fn ends_in_header(found: u64) -> Fault {
    let reason = format!("is truncated: it ends in its header, after {found} bytes");
    (Code::WEIGHTS_TRUNCATED, reason)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(header: &str, data: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend(vec![1; data]);
        bytes
    }

    #[test]
    fn a_file_is_as_long_as_its_header_says() {
        let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let start = 8 + header.len();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        for (bytes, expected) in [
            (file(header, 8), None),
            (
                file(header, 7),
                Some((
                    Code::WEIGHTS_TRUNCATED,
                    format!("{} bytes long, found {}", start + 8, start + 7),
                )),
            ),
            (
                file(header, 9),
                Some((
                    Code::WEIGHTS_MALFORMED,
                    format!("{} bytes, and {} by", start + 9, start + 8),
                )),
            ),
            (
                file(header, 0)[..40].to_vec(),
                Some((
                    Code::WEIGHTS_TRUNCATED,
                    "it ends in its header, after 40 bytes".to_owned(),
                )),
            ),
            (
                vec![9, 0, 0],
                Some((
                    Code::WEIGHTS_TRUNCATED,
                    "it ends in its header, after 3 bytes".to_owned(),
                )),
            ),
            (file("{}", 0), None),
            (
                file("[1]", 0),
                Some((Code::WEIGHTS_MALFORMED, "not a valid".to_owned())),
            ),
            (
                file(r#"{"a":{}}"#, 0),
                Some((Code::WEIGHTS_MALFORMED, "no offsets".to_owned())),
            ),
            (
                vec![b'P'; 64],
                Some((Code::WEIGHTS_MALFORMED, "too long".to_owned())),
            ),
        ] {
            fs::write(&path, bytes).unwrap();
            match (Header::read(&path), expected) {
                (Ok(_), None) => {}
                (Err((code, reason)), Some((expected, says))) => {
                    assert_eq!(code, expected, "{reason}");
                    assert!(reason.contains(&says), "{says:?} is not in {reason}");
                }
                (found, expected) => panic!("{found:?}, expected {expected:?}"),
            }
        }
    }
}
