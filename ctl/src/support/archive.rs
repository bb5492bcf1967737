//! Members as a compressed tar file, readable by its owner only.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use flate2::write::GzEncoder;
use framepack_ipc::ErrorBody;
use framepack_jobs::{Code, Timestamp};
use tar::{Builder, Header};
use zstd::Encoder;

use super::{Content, Member};

/// The folder in which everything lies when it is unpacked.
const FOLDER: &str = "framepack-support";

/// How an archive is compressed, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Zstd,
    Gzip,
}

impl Compression {
    /// An error if the name does not say.
    pub(crate) fn of(path: &Path) -> Result<Self, ErrorBody> {
        let name = path.to_string_lossy();
        if name.ends_with(".tar.zst") {
            Ok(Self::Zstd)
        } else if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
            Ok(Self::Gzip)
        } else {
            let message = format!("--out: {name} is neither .tar.zst nor .tar.gz");
            Err(ErrorBody::new(Code::USAGE, message))
        }
    }
}

/// Writes a new file; one that is not finished is removed.
pub(crate) fn write(path: &Path, compression: Compression, members: &[Member]) -> io::Result<()> {
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = match compression {
        Compression::Zstd => Encoder::new(file, 0).and_then(|mut encoder| {
            append_all(&mut encoder, members)?;
            encoder.finish()?.sync_all()
        }),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(file, flate2::Compression::default());
            append_all(&mut encoder, members).and_then(|()| encoder.finish()?.sync_all())
        }
    };
    if written.is_err() {
        // Nothing more can be done on a disk that is full.
        let _ = fs::remove_file(path);
    }
    written
}

fn append_all(to: &mut impl Write, members: &[Member]) -> io::Result<()> {
    let written_at = Timestamp::now().as_micros() / 1_000_000;
    let mut archive = Builder::new(to);
    for member in members {
        let bytes = member.content.bytes()?;
        let mut header = Header::new_gnu();
        header.set_mode(0o600);
        header.set_mtime(written_at);
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, format!("{FOLDER}/{}", member.name), &*bytes)?;
    }
    archive.into_inner().map(|_| ())
}

impl Content {
    fn bytes(&self) -> io::Result<Vec<u8>> {
        Ok(match self {
            Self::Json(value) => {
                let mut bytes = serde_json::to_vec_pretty(value)?;
                bytes.push(b'\n');
                bytes
            }
            Self::Lines(lines) => {
                let lines = lines.iter().map(|line| format!("{line}\n"));
                lines.collect::<String>().into_bytes()
            }
            Self::Text(text) => text.clone().into_bytes(),
            Self::Picture(bytes) => bytes.clone(),
        })
    }
}
