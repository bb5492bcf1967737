//! The command line of `events`.

use clap::Args;
use framepack_ipc::event::{EventType, Since};
use framepack_jobs::Selector;

#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Keep printing what happens, also after the daemon was restarted
    #[arg(long, short)]
    pub(crate) follow: bool,

    /// Start behind the event with this cursor, or at a time: 90m, 8h or 2d ago, a time of the day (22:00), a date, or an
    /// RFC 3339 time. Default: the last 24 hours, or with -f from now on
    #[arg(long, value_name = "CURSOR|TIME", value_parser = since)]
    pub(crate) since: Option<Since>,

    /// Only events of these types: job, device, farm, or progress (each step of running jobs, which is not kept)
    #[arg(long = "type", value_name = "TYPE,…", value_delimiter = ',')]
    pub(crate) types: Vec<EventType>,

    /// Only events of these jobs, as for `show`
    #[arg(long = "for", value_name = "JOB,…", value_delimiter = ',')]
    pub(crate) jobs: Vec<Selector>,

    /// Print the cursor of the last event and nothing else, to start there later
    #[arg(long, conflicts_with_all = ["follow", "since", "types", "jobs"])]
    pub(crate) cursor: bool,
}

/// A time as elsewhere, or else a cursor.
fn since(text: &str) -> Result<Since, String> {
    match text.parse() {
        Ok(super::Since(time)) => Ok(Since::Time(time)),
        Err(_) if is_cursor(text) => Ok(Since::Cursor(text.to_owned())),
        Err(expected) => Err(format!("{expected}, or a cursor")),
    }
}

/// A word and two numbers: what they mean is the daemon's business.
fn is_cursor(text: &str) -> bool {
    let mut parts = text.rsplitn(3, '-');
    let mut is_number = || parts.next().is_some_and(|part| part.parse::<u64>().is_ok());
    is_number() && is_number() && parts.next().is_some_and(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use framepack_jobs::Timestamp;

    use super::*;

    #[test]
    fn a_beginning_is_a_cursor_a_time_or_a_duration() {
        let cursor = "9f3c2a1b40d1e6f7-17-0";
        assert_eq!(since(cursor), Ok(Since::Cursor(cursor.to_owned())));
        let time = "2026-11-23T22:00:00.000000Z".parse().unwrap();
        assert_eq!(since("2026-11-23T23:00:00+01:00"), Ok(Since::Time(time)));
        let Ok(Since::Time(begin)) = since("1.5h") else {
            panic!("1.5h is a duration");
        };
        let secs = Timestamp::now().secs_since(begin);
        assert!((5400.0..5460.0).contains(&secs), "{secs}");
        for text in ["", "8", "h", "-1h", "yesterday", "a-b-c", "17"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
