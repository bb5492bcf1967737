//! From decoded frames to a video file: blending, 8 bits, BT.709, H.264, mp4.
//!
//! [`VideoWriter`] is the way in. A video appears under its final name only when it is complete, decoded
//! again and on the disk; until then nothing of it is visible, and a failure leaves nothing.

mod atom;
mod clips;
pub mod colour;
mod faststart;
pub mod frames;
mod metadata;
mod mp4;
mod playback;
mod program;
mod verify;
mod writer;
pub mod x264;

pub use metadata::{Created, Metadata};
pub use playback::Player;
pub use program::Defect;
pub use writer::{VideoSettings, VideoSummary, VideoWriter};
