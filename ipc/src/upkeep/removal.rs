//! What is removed that nobody needs, and caches.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

/// Removes what nobody needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GcRequest {
    /// Whether to.
    pub mode: GcMode,
}

/// Whether anything is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GcMode {
    /// It is removed.
    Remove,
    /// It is only said what would be.
    DryRun,
}

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// Whether it was.
    pub mode: GcMode,
    /// Each file or folder.
    pub items: Vec<Junk>,
    /// What stays that could have gone, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// A file or folder that nobody needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Junk {
    /// What it is.
    pub kind: JunkKind,
    /// Where it is.
    pub path: PathBuf,
    /// Disk space that it takes.
    pub bytes: u64,
}

/// What is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JunkKind {
    /// The work folder of a job that has ended for good.
    Work,
    /// Checkpoints of a job that has ended for good, in a work folder that stays.
    Checkpoints,
    /// A work folder of no job.
    Orphan,
    /// The log of an ended job that is older than `retention` allows.
    Log,
    /// A copy of a start image that no job needs.
    Input,
    /// Embeddings beyond the cache's limit, the longest unused first.
    Embeddings,
    /// A file that was never finished.
    Unfinished,
    /// A kind of a later version.
    #[serde(other)]
    Unknown,
}

impl JunkKind {
    /// The kind as users read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work folder",
            Self::Checkpoints => "checkpoints",
            Self::Orphan => "work folder of no job",
            Self::Log => "old log",
            Self::Input => "image of no job",
            Self::Embeddings => "embeddings",
            Self::Unfinished => "unfinished file",
            Self::Unknown => "unknown",
        }
    }
}

/// Looks at caches, or clears them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum CacheRequest {
    /// What there is.
    List,
    /// Removes one, or all.
    Clear {
        /// Which; `None`: all.
        kind: Option<CacheKind>,
    },
}

/// A cache in the state directory. All of them may be removed at any time, also while jobs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheKind {
    /// Prompts, images and start latents as the encoders returned them.
    Embeddings,
    /// Which attention backend each device uses, with measurements.
    Attention,
    /// What decoding takes on each device.
    Decoding,
    /// Kernels as they were compiled for each device.
    Kernels,
    /// A cache of a later version.
    #[serde(other)]
    Unknown,
}

/// A cache and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// Which.
    pub kind: CacheKind,
    /// Where it is: a folder, or a pattern of files.
    pub path: PathBuf,
    /// Its files; of those that were to be cleared, how many were removed.
    pub files: u64,
    /// Disk space that they take, or took.
    pub bytes: u64,
    /// What is lost without it.
    pub without: String,
}

/// Not the name of a cache.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a cache; expected one of embeddings, attention, decoding, kernels")]
pub struct UnknownCache(String);

impl CacheKind {
    /// All caches.
    pub const ALL: [Self; 4] = [
        Self::Embeddings,
        Self::Attention,
        Self::Decoding,
        Self::Kernels,
    ];

    /// The cache as users type and read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embeddings => "embeddings",
            Self::Attention => "attention",
            Self::Decoding => "decoding",
            Self::Kernels => "kernels",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for CacheKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CacheKind {
    type Err = UnknownCache;

    fn from_str(text: &str) -> Result<Self, UnknownCache> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownCache(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_look_like_this_on_the_wire() {
        let clear = CacheRequest::Clear {
            kind: Some(CacheKind::Attention),
        };
        for (request, json) in [
            (CacheRequest::List, r#"{"do":"list"}"#),
            (clear, r#"{"do":"clear","kind":"attention"}"#),
        ] {
            assert_eq!(serde_json::to_string(&request).unwrap(), json);
            assert_eq!(serde_json::from_str::<CacheRequest>(json).unwrap(), request);
        }
    }

    #[test]
    fn words_of_later_versions_are_understood_as_unknown() {
        let kind: JunkKind = serde_json::from_str("\"video\"").unwrap();
        assert_eq!(kind, JunkKind::Unknown);
        let kind: CacheKind = serde_json::from_str("\"videos\"").unwrap();
        assert_eq!(kind, CacheKind::Unknown);
    }

    #[test]
    fn a_cache_is_known_by_its_name_only() {
        for kind in CacheKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        let refused = "embedding".parse::<CacheKind>().unwrap_err();
        assert!(refused.to_string().contains("expected one of embeddings"));
    }
}
