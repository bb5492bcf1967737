//! How changes in the folder are noticed, as a word.

/// How changes in the folder are noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is being tested whether events come.
    #[default]
    Testing,
    Events,
    /// By listings alone.
    Listing,
    /// The folder is gone.
    Gone,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [Self::Testing, Self::Events, Self::Listing, Self::Gone];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Testing => "testing",
            Self::Events => "events",
            Self::Listing => "listing",
            Self::Gone => "gone",
        }
    }
}
