//! Decoded frames: what a run leaves of them for the next one, and what becomes the video.
//!
//! A section's frames are written as bytes as soon as nothing can change them any more, and where decoding is slow, as
//! on a processor, so are the pieces of the section that is being decoded, as the VAE returns them. A file appears
//! complete and durable, knows its own checksum, and names the checkpoint whose latents it was decoded from.
//!
//! Neighbouring sections fade into each other before they become bytes, so the pieces of the newest finished section
//! stay, too: the next one needs its end. Where there are none, that one section is decoded again.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, Sender},
    time::Duration,
};

use framepack_ipc::worker::CHECKPOINT_PREFIX;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::provenance::Provenance;
use crate::{
    error::Error,
    file,
    sealed::{Tensors, Unsealed, seal, unseal},
    section::SectionOrder,
};

/// Raised when the files get another form or meaning.
const FORMAT: u32 = 1;
/// The one tensor of a file.
const FRAMES: &str = "frames";
/// A piece that took this long is worth a file.
pub(crate) const SLOW: Duration = Duration::from_millis(500);

/// The frames of a job that need not be decoded again.
#[derive(Debug)]
pub(crate) struct KeptFrames {
    work_dir: PathBuf,
    order: SectionOrder,
    /// Sections whose frames are there, the first ones.
    sections: u32,
    /// The section that is the last one, though others were to follow it: its frames are not what they would have been.
    end: Option<u32>,
    /// Whoever reads them as they are kept.
    follower: Option<Sender<FrameFile>>,
}

/// The final frames of a section, on the disk.
#[derive(Debug)]
pub(crate) struct FrameFile(PathBuf);

/// Whose frames: counted from 1, and the checksum of its checkpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecodedSection<'a> {
    pub(crate) number: u32,
    pub(crate) checkpoint: &'a str,
}

/// What a file says that it is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    format: u32,
    /// Checksum of the checkpoint that has the section's latents.
    of: String,
    /// The latent frames that a piece was decoded from; `None`: all frames of the section that are final, as bytes.
    piece: Option<Range<i64>>,
    provenance: Provenance,
}

impl KeptFrames {
    /// None yet.
    pub(crate) fn new(work_dir: &Path, order: SectionOrder) -> Self {
        Self {
            work_dir: work_dir.into(),
            order,
            sections: 0,
            end: None,
            follower: None,
        }
    }

    /// The same of a video that ends with this section, though others were to follow it.
    #[must_use]
    pub(crate) fn ending_with(self, section: u32) -> Self {
        Self {
            end: Some(section),
            ..self
        }
    }

    /// Looks for the frames of the sections with these checkpoints, up to the first that are missing or damaged. Returns
    /// how each section's were made.
    pub(crate) fn find(&mut self, checkpoints: &[String]) -> Vec<Provenance> {
        let mut found = vec![];
        for (number, checkpoint) in (1..).zip(checkpoints) {
            let path = self.path(number);
            match read(&path, checkpoint, None) {
                Ok(Some((header, _))) => found.push(header.provenance),
                Ok(None) => break,
                Err(reason) => {
                    tracing::warn!(path = %path.display(), reason, "frames are decoded again");
                    break;
                }
            }
        }
        self.sections = found.len() as u32;
        found
    }

    /// How many sections need not be decoded.
    pub(crate) fn sections(&self) -> u32 {
        self.sections
    }

    /// Keeps the final frames of the next section, packed RGB. Once this returns they outlive the process and the
    /// machine's power.
    pub(crate) fn save(
        &mut self,
        section: DecodedSection<'_>,
        frames: &[u8],
        provenance: &Provenance,
    ) -> Result<(), Error> {
        let bytes = Tensor::from_slice(frames);
        write(
            &self.path(section.number),
            &bytes,
            &header(section, None, provenance),
        )?;
        self.sections = section.number;
        self.remove_pieces(section.number - 1);
        if let Some(follower) = &self.follower {
            // One that gave up reads all of them later.
            let _ = follower.send(FrameFile(self.path(section.number)));
        }
        Ok(())
    }

    /// A piece of a section that an earlier run decoded in the same way.
    pub(crate) fn piece(
        &self,
        section: DecodedSection<'_>,
        latents: &Range<i64>,
        provenance: &Provenance,
    ) -> Option<Tensor> {
        let path = self.piece_path(section.number, latents);
        match read(&path, section.checkpoint, Some(latents)) {
            Ok(Some((header, frames))) => {
                header.provenance.decodes_like(provenance).then_some(frames)
            }
            Ok(None) => None,
            Err(reason) => {
                tracing::warn!(path = %path.display(), reason, "a piece is decoded again");
                None
            }
        }
    }

    /// Keeps a piece of a section as the VAE returned it, (1, 3, F, H, W).
    pub(crate) fn save_piece(
        &self,
        section: DecodedSection<'_>,
        latents: &Range<i64>,
        (frames, provenance): (&Tensor, &Provenance),
    ) -> Result<(), Error> {
        write(
            &self.piece_path(section.number, latents),
            &frames.contiguous(),
            &header(section, Some(latents), provenance),
        )
    }

    /// The finished frames in the order of time, section by section.
    pub(crate) fn files(&self) -> impl Iterator<Item = FrameFile> {
        let last = self.sections;
        (1..=last).map(move |number| {
            FrameFile(self.path(match self.order {
                SectionOrder::Backward => last + 1 - number,
                SectionOrder::Forward => number,
            }))
        })
    }

    /// The same, and those that are kept from now on until [`end_follow`](Self::end_follow); `None` for a video that grows at
    /// its front.
    pub(crate) fn follow(&mut self) -> Option<Receiver<FrameFile>> {
        if self.order == SectionOrder::Backward {
            return None;
        }
        let (sender, receiver) = mpsc::channel();
        for file in self.files() {
            sender.send(file).expect("the receiver is below");
        }
        self.follower = Some(sender);
        Some(receiver)
    }

    /// No more frames come.
    pub(crate) fn end_follow(&mut self) {
        self.follower = None;
    }

    /// Removes all of them.
    pub(crate) fn remove(&mut self) {
        for section in 1.. {
            self.remove_pieces(section);
            if fs::remove_file(self.path(section)).is_err() {
                break;
            }
        }
        self.sections = 0;
    }

    /// Removes a section's pieces, which nothing needs any more.
    pub(crate) fn remove_pieces(&self, section: u32) {
        // Not one after the other until one is missing: quick ones are not kept.
        let Ok(entries) = fs::read_dir(&self.work_dir) else {
            return;
        };
        let pieces = format!("{CHECKPOINT_PREFIX}piece-{section:03}-");
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&pieces)
                && let Err(error) = fs::remove_file(entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "removing a piece");
            }
        }
    }

    fn path(&self, section: u32) -> PathBuf {
        let what = if self.end == Some(section) {
            "end"
        } else {
            "frames"
        };
        self.work_dir.join(format!(
            "{CHECKPOINT_PREFIX}{what}-{section:03}.safetensors"
        ))
    }

    fn piece_path(&self, section: u32, latents: &Range<i64>) -> PathBuf {
        let Range { start, end } = latents;
        self.work_dir.join(format!(
            "{CHECKPOINT_PREFIX}piece-{section:03}-{start:03}-{end:03}.safetensors"
        ))
    }
}

impl FrameFile {
    /// Packed RGB.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Error> {
        let frames = fs::read(&self.0).and_then(|bytes| {
            let file = unseal(&bytes).map_err(io::Error::other)?;
            let frames = file.tensors.get(FRAMES).ok_or(io::ErrorKind::InvalidData)?;
            Vec::try_from(frames).map_err(io::Error::other)
        });
        frames.map_err(|source| Error::Io {
            path: self.0.clone(),
            doing: "reading",
            source,
        })
    }
}

fn header(
    section: DecodedSection<'_>,
    piece: Option<&Range<i64>>,
    provenance: &Provenance,
) -> Header {
    Header {
        format: FORMAT,
        of: section.checkpoint.to_owned(),
        piece: piece.cloned(),
        provenance: provenance.clone(),
    }
}

fn write(path: &Path, frames: &Tensor, header: &Header) -> Result<(), Error> {
    let what = serde_json::to_string(header).expect("plain data with string keys");
    let tensors = Tensors::from([(FRAMES.into(), frames.shallow_clone())]);
    let written = seal(&what, &tensors)
        .map_err(io::Error::other)
        .and_then(|(bytes, _)| file::write(path, &bytes));
    written.map_err(|source| Error::Io {
        path: path.into(),
        doing: "writing",
        source,
    })
}

/// The frames at `path`, if they are there and were decoded from this checkpoint.
fn read(
    path: &Path,
    checkpoint: &str,
    piece: Option<&Range<i64>>,
) -> Result<Option<(Header, Tensor)>, String> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| error.to_string())?,
    };
    let Unsealed {
        what, mut tensors, ..
    } = unseal(&bytes)?;
    let header: Header =
        serde_json::from_str(&what).map_err(|_| "it was written by another version".to_owned())?;
    if (header.format, header.piece.as_ref()) != (FORMAT, piece) {
        return Err(format!("it has format {}", header.format));
    }
    if header.of != checkpoint {
        return Ok(None); // of latents that were made again since
    }
    let frames = tensors.remove(FRAMES).ok_or("it has no frames")?;
    Ok(Some((header, frames)))
}

#[cfg(test)]
mod tests;
