//! Commands that look after the installation: `usage`, `gc`, `cache`, `support-bundle`, `man`.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::{Args, Subcommand, ValueHint};
use framepack_ipc::upkeep::CacheKind;
use framepack_jobs::Timestamp;

#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// Only jobs that have ended since then: 90m, 8h, 7d ago, a date, or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct Gc {
    /// Only print what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheAction {
    /// List caches and what they take
    Ls,
    /// Remove a cache, or all; also while jobs run
    Clear {
        /// embeddings, attention, or decoding; default: all
        kind: Option<CacheKind>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SupportBundle {
    /// The archive, .tar.zst or .tar.gz; an existing file is not replaced
    /// [default: framepack-support-TIME.tar.zst]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,

    /// Include prompts
    #[arg(long)]
    pub(crate) with_prompts: bool,

    /// Include the names of pictures, and start images and contact sheets of the jobs that failed last
    #[arg(long)]
    pub(crate) with_pictures: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write all pages into man1, man5, man7 and man8 of this folder; default: print framepackctl(1)
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: Option<PathBuf>,
}

/// `8h`, `2026-11-24` or `2026-11-24T05:16:08Z`.
fn since(text: &str) -> Result<Timestamp, String> {
    let ago = |(number, unit): (&str, &str)| {
        let unit_secs = match unit {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        let secs = number.parse::<f64>().ok()? * unit_secs;
        let ago = Duration::try_from_secs_f64(secs).ok()?;
        // Longer than there have been clocks: since ever.
        let then = SystemTime::now().checked_sub(ago);
        Some(Timestamp::from(then.unwrap_or(SystemTime::UNIX_EPOCH)))
    };
    let last = text.char_indices().next_back();
    let parts = last.map(|(at, _)| text.split_at(at));
    parts
        .and_then(ago)
        .or_else(|| Timestamp::from_rfc3339(text))
        .or_else(|| Timestamp::from_rfc3339(&format!("{text}T00:00:00Z")))
        .ok_or_else(|| {
            "expected a time, such as 8h, 7d, 2026-11-24 or 2026-11-24T22:00:00+01:00".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ago_or_dates() {
        let micros = |text: &str| since(text).map(Timestamp::as_micros);
        let day = micros("2026-11-24T00:00:00Z");
        assert!(day.is_ok());
        assert_eq!(micros("2026-11-24"), day);
        assert_eq!(micros("2026-11-24T01:00:00+01:00"), day);
        let hour_ago = Timestamp::now().secs_since(since("1h").unwrap());
        assert!((3599.0..3700.0).contains(&hour_ago), "{hour_ago}");
        assert_eq!(micros("1e9d"), Ok(0));
        for text in ["", "h", "8x", "tomorrow", "-1h", "2026-13-01"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
