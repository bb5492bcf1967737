//! Arguments of the commands that change jobs one by one, or remove them.

use clap::Args;
use framepack_ipc::{ErrorBody, queue::Change};
use framepack_jobs::{Code, Selector};

use super::jobs::Jobs;

/// Whether a user has agreed to what a command destroys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    Given,
    /// She is asked, where anybody can be.
    ToBeAsked,
}

/// `--yes`
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Yes {
    /// Do not ask, whatever is destroyed
    #[arg(long)]
    yes: bool,
}

impl Yes {
    pub(crate) fn consent(self) -> Consent {
        if self.yes {
            Consent::Given
        } else {
            Consent::ToBeAsked
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    pub(crate) jobs: Jobs,

    /// Make a video of the sections that are finished: the end of the job's video with the model `original`, its beginning
    /// with `f1`
    #[arg(long)]
    keep: bool,

    #[command(flatten)]
    pub(crate) yes: Yes,
}

impl Cancel {
    pub(crate) fn change(&self) -> Change {
        if self.keep {
            Change::CancelKeep
        } else {
            Change::Cancel
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Retry {
    #[command(flatten)]
    pub(crate) jobs: Jobs,

    /// Start over instead of resuming
    #[arg(long)]
    pub(crate) from_start: bool,

    /// Set a key of the jobs, such as `steps=32`; they start over if their finished sections depend on it; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    #[command(flatten)]
    pub(crate) yes: Yes,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// A job's number, or its name; it must not have begun
    pub(crate) job: Selector,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    pub(crate) jobs: Jobs,

    /// Remove the jobs' videos, too
    #[arg(long)]
    pub(crate) video: bool,

    #[command(flatten)]
    pub(crate) yes: Yes,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    // `selectors` has its help.
    #[arg(required = true, num_args = 2.., value_name = "JOB|KEY=VALUE")]
    words: Vec<String>,
}

impl Set {
    /// The jobs, up to the first word with an equals sign, and the keys.
    pub(crate) fn split(&self) -> Result<(Vec<Selector>, Vec<String>), ErrorBody> {
        let is_key = |word: &String| word.contains('=');
        let begin = self.words.iter().position(is_key);
        let (jobs, keys) = self.words.split_at(begin.unwrap_or(self.words.len()));
        let wrong = |message: &str| {
            let example = "write `framepackctl set 7 steps=32`";
            Err(ErrorBody::new(Code::USAGE, message).hint(example))
        };
        if jobs.is_empty() {
            return wrong("no job is named before the keys");
        }
        if keys.is_empty() {
            return wrong("no KEY=VALUE is given");
        }
        if let Some(word) = keys.iter().find(|word| !is_key(word)) {
            return wrong(&format!("`{word}` is not KEY=VALUE; jobs are named first"));
        }
        let selectors = jobs.iter().map(|word| word.parse::<Selector>());
        match selectors.collect() {
            Ok(selectors) => Ok((selectors, keys.to_vec())),
            Err(error) => Err(ErrorBody::new(Code::USAGE, error.to_string())
                .hint("see `framepackctl show --help` for how jobs are named")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(words: &[&str]) -> Result<(Vec<Selector>, Vec<String>), String> {
        let words = words.iter().map(ToString::to_string).collect();
        Set { words }.split().map_err(|error| error.message)
    }

    #[test]
    fn jobs_come_first_and_keys_follow() {
        let jobs = ["7", "cat"].map(|text| text.parse().unwrap()).to_vec();
        let keys = ["steps=3", "prompt=a = b"].map(str::to_owned).to_vec();
        let words = ["7", "cat", "steps=3", "prompt=a = b"];
        assert_eq!(split(&words), Ok((jobs, keys)));
        for (words, expected) in [
            (
                &["steps=3", "prompt=a"][..],
                "no job is named before the keys",
            ),
            (&["7", "8"], "no KEY=VALUE is given"),
            (
                &["7", "steps=3", "8"],
                "`8` is not KEY=VALUE; jobs are named first",
            ),
            (&["9-3", "steps=3"], "the range `9-3` ends before it begins"),
        ] {
            assert_eq!(split(words).unwrap_err(), expected);
        }
    }
}
