//! Why a document that the parser understands is refused all the same.

use crate::{MAX_DEPTH, MAX_KEY_BYTES};

/// A limit or a form of YAML that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Something follows the document.
    #[error("a second document begins here")]
    SecondDocument,
    #[error("tags (`!…`) are not accepted")]
    Tag,
    #[error("merge keys (`<<`) are not accepted")]
    MergeKey,
    #[error("nested deeper than {MAX_DEPTH} levels")]
    Deep,
    #[error("more than {limit} {unit}, aliases expanded")]
    Large { limit: usize, unit: &'static str },
    #[error("a key of more than {MAX_KEY_BYTES} bytes")]
    LongKey,
    #[error("`{0}` is given twice")]
    Twice(String),
    #[error("{0}")]
    Key(NoKey),
}

/// What stands where a key must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoKey {
    #[error("there is no key before the colon")]
    Nothing,
    #[error("`{0}` is no key: a key is a word")]
    Scalar(String),
    #[error("a list is no key: a key is a word")]
    List,
    #[error("a mapping is no key: a key is a word")]
    Map,
}
