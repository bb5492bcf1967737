//! A job's start image as the daemon has it. Part of [`crate::control`].

use framepack_jobs::JobId;
use serde::{Deserialize, Serialize};

/// Largest image in bytes that is sent: as base64 it fits in one answer.
pub const MAX_START_IMAGE_BYTES: u64 = 32 << 20;

/// Whose image is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartImageRequest {
    /// The job.
    pub job: JobId,
}

/// The daemon's copy of a start image: it is there as long as the job may still be rendered, wherever the file went that
/// it was copied from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartImage {
    /// The file as base64.
    pub data: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{MAX_RESPONSE_BYTES, Request, Response};

    #[test]
    fn an_image_looks_like_this_on_the_wire_and_fits() {
        let request = Request::StartImage(StartImageRequest { job: JobId(7) });
        let json = r#"{"type":"start_image","job":7}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), json);
        assert_eq!(serde_json::from_str::<Request>(json).unwrap(), request);
        let response = Response::StartImage(StartImage {
            data: "UDEgMSAxIDA=".to_owned(),
        });
        let json = r#"{"type":"start_image","data":"UDEgMSAxIDA="}"#;
        assert_eq!(serde_json::to_string(&response).unwrap(), json);
        assert!(MAX_START_IMAGE_BYTES / 3 * 4 < MAX_RESPONSE_BYTES as u64 - 1024);
    }
}
