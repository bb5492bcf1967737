//! The axes of (B, C, T, H, W).

/// The axis of time in (B, C, T, H, W).
pub(in crate::vae) const TIME: i64 = 2;
/// The axis of height.
pub(super) const HEIGHT: i64 = 3;
/// The axis of width.
pub(super) const WIDTH: i64 = 4;
