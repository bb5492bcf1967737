//! What is wrong on a line, and what to write instead.

/// Something on a line that is not as it must be.
#[derive(Debug)]
pub(super) struct Finding<'t> {
    /// The key, where the line has one.
    pub(super) key: Option<&'t str>,
    /// Where, in bytes of the line.
    pub(super) at: usize,
    pub(super) what: String,
    pub(super) hint: String,
}
