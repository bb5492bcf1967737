//! What a job's video looks like so far, as a small picture. Part of [`crate::control`].
//!
//! A worker keeps the same message as a file in the job's work folder, so that the daemon need not look into pictures.

use framepack_jobs::JobId;
use serde::{Deserialize, Serialize};

/// Largest preview in bytes, as its message: what is longer is none.
pub const MAX_PREVIEW_BYTES: usize = 4 << 20;

/// Which preview of which job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewRequest {
    /// The job.
    pub job: JobId,
    /// Which of its pictures.
    pub kind: PreviewKind,
}

/// The pictures that there are of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewKind {
    /// A few frames of the newest section side by side, as a PNG: what its latents look like while it is sampled, its own
    /// frames once it is decoded.
    Latest,
    /// Frames of the whole video, one beneath the other, as a JPEG. It is there once the video is.
    Strip,
}

/// A small picture of a job's video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    /// What it shows: `section 2/4 step 18/25`, `section 2/4` or `video`.
    pub of: String,
    /// The picture's width.
    pub width_px: u32,
    /// The picture's height.
    pub height_px: u32,
    /// How many frames of the video it shows, all of the same size.
    pub frames: u32,
    /// The picture as base64.
    pub data: String,
}

impl PreviewKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Latest, Self::Strip];

    /// The file's name in a job's work folder.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Latest => "preview-latest.json",
            Self::Strip => "preview-strip.json",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{Request, Response};

    #[test]
    fn a_preview_looks_like_this_on_the_wire() {
        let request = Request::Preview(PreviewRequest {
            job: JobId(7),
            kind: PreviewKind::Strip,
        });
        let json = r#"{"type":"preview","job":7,"kind":"strip"}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), json);
        assert_eq!(serde_json::from_str::<Request>(json).unwrap(), request);
        let response = Response::Preview(Preview {
            media_type: "image/png".to_owned(),
            of: "section 2/4 step 18/25".to_owned(),
            width_px: 240,
            height_px: 76,
            frames: 3,
            data: "iVBORw==".to_owned(),
        });
        let json = concat!(
            r#"{"type":"preview","media_type":"image/png","of":"section 2/4 step 18/25","#,
            r#""width_px":240,"height_px":76,"frames":3,"data":"iVBORw=="}"#
        );
        assert_eq!(serde_json::to_string(&response).unwrap(), json);
        assert_eq!(serde_json::from_str::<Response>(json).unwrap(), response);
    }
}
