//! Which values an argument takes.

use std::ffi::OsStr;

use clap::{Arg, Command};
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use framepack_ipc::upkeep::CacheKind;
use framepack_jobs::{
    Job, JobState, Row, Section, StateName,
    settings::{Kind, Profile, TABLE},
};

use super::live;
use crate::{cli::taken_by, shown_state::ShownState};

/// Which jobs a verb can do something with.
type Fits = fn(&Job) -> bool;

/// Verbs that do nothing for some of the jobs that they take.
const VERBS: [(&str, Fits); 5] = [
    ("wait", is_live),
    ("hold", |job| !job.runs.held),
    ("release", |job| job.runs.held),
    ("pause", |job| !is_halted(job)),
    ("resume", is_halted),
];

fn is_live(job: &Job) -> bool {
    !job.is_finished()
}

fn is_halted(job: &Job) -> bool {
    match job.state {
        JobState::Queued => job.runs.held,
        JobState::Running { paused, .. } => paused,
        _ => false,
    }
}

fn any(_: &Job) -> bool {
    true
}

/// The command with values for the arguments of all its commands.
pub(super) fn with_values(command: Command) -> Command {
    command.mut_subcommands(|command| {
        let verb = command.get_name().to_owned();
        with_values(command).mut_args(|argument| with_candidates(argument, &verb))
    })
}

fn with_candidates(argument: Arg, verb: &str) -> Arg {
    match argument.get_id().as_str() {
        "jobs" | "job" => {
            let fits = fitting(verb);
            add(argument, move || jobs(fits))
        }
        // Jobs, and then keys.
        "words" => {
            let fits = fitting(verb);
            add(argument, move || {
                jobs(fits).into_iter().chain(settings()).collect()
            })
        }
        "subject" => argument.add(ArgValueCompleter::new(file_or_job)),
        "group" => add(argument, groups),
        "filter" => add(argument, || words(ShownState::ALL.map(ShownState::as_str))),
        "code" => add(argument, codes),
        "set" => add(argument, settings),
        "profile" if verb == "warmup" => add(argument, profiles),
        "profile" => add(argument, || {
            words(Profile::all().map(|profile| profile.name))
        }),
        "kind" => add(argument, || words(CacheKind::ALL.map(CacheKind::as_str))),
        "device" => add(argument, || words(live::devices())),
        "key" => add(argument, keys),
        _ => argument,
    }
}

fn add(
    argument: Arg,
    candidates: impl Fn() -> Vec<CompletionCandidate> + Send + Sync + 'static,
) -> Arg {
    argument.add(ArgValueCandidates::new(candidates))
}

/// What `plan` is about: a file, or a job that has not ended.
fn file_or_job(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy();
    let mut jobs = jobs(is_live);
    jobs.retain(|job| job.get_value().to_string_lossy().starts_with(&*typed));
    // It takes numbers only.
    jobs.retain(|job| job.get_value().to_string_lossy().parse::<u64>().is_ok());
    jobs.extend(PathCompleter::any().complete(current));
    jobs
}

/// Whether the verb does something for a job.
fn fitting(verb: &str) -> impl Fn(&Job) -> bool + Copy + Send + Sync + 'static {
    let states = taken_by(verb);
    let found = VERBS.iter().find(|(name, _)| *name == verb);
    let fits = found.map_or(any as Fits, |(_, fits)| *fits);
    move |job| states.contains(&job.state.name()) && fits(job)
}

/// Numbers with names behind them, the latest first; names; and words for many.
fn jobs(fits: impl Fn(&Job) -> bool) -> Vec<CompletionCandidate> {
    let mut jobs: Vec<Job> = live::jobs().into_iter().filter(|job| fits(job)).collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
    let states: Vec<StateName> = StateName::ALL
        .into_iter()
        .filter(|state| jobs.iter().any(|job| job.is(*state)))
        .collect();
    let numbers = jobs.iter().map(|job| {
        let about = format!("{} ({})", job.name, job.state.name());
        described(job.id.to_string(), about)
    });
    let mut names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    // A number would be another job's.
    let names = names
        .into_iter()
        .filter(|name| name.parse::<u64>().is_err());
    let names = names.map(|name| CompletionCandidate::new(name).hide(true));
    let states = states.into_iter().map(|state| {
        let about = format!("all that are {state}");
        described(format!("@{state}"), about)
    });
    let all = numbers.chain(states).chain(names);
    let ordered = all.enumerate();
    ordered
        .map(|(at, candidate)| candidate.display_order(Some(at)))
        .collect()
}

fn groups() -> Vec<CompletionCandidate> {
    let mut groups: Vec<String> = live::jobs()
        .into_iter()
        .filter_map(|job| job.schedule.group)
        .collect();
    groups.sort();
    groups.dedup();
    words(groups)
}

fn codes() -> Vec<CompletionCandidate> {
    let codes = Section::ALL.into_iter().flat_map(|section| section.codes);
    let described = |code: &framepack_jobs::Code| described(code.as_str(), code.meaning());
    codes.map(described).collect()
}

/// Keys with `=`, and the values of those that take one of a few words.
fn settings() -> Vec<CompletionCandidate> {
    let rows = TABLE.into_iter();
    let rows = rows.filter(|row| row.scope != framepack_jobs::settings::Scope::Farm);
    rows.flat_map(|row| {
        let key = described(format!("{}=", row.key), row.about);
        let values = values(row).into_iter();
        let values = values.map(|value| {
            let text = format!("{}={value}", row.key);
            // Seen once the key is there.
            CompletionCandidate::new(text).hide(true)
        });
        [key].into_iter().chain(values).collect::<Vec<_>>()
    })
    .collect()
}

/// What the setting `profile` can be.
fn profiles() -> Vec<CompletionCandidate> {
    let row = TABLE.into_iter().find(|row| row.key == "profile");
    words(row.map(values).unwrap_or_default())
}

fn values(row: &Row) -> Vec<String> {
    match &row.kind {
        Kind::Word { words, .. } => words.iter().map(|word| (*word).to_owned()).collect(),
        Kind::OneOf { values, .. } => values.iter().map(ToString::to_string).collect(),
        Kind::Switch => vec!["on".to_owned(), "off".to_owned()],
        Kind::Integer { or, .. } | Kind::Number { or, .. } => {
            or.map(str::to_owned).into_iter().collect()
        }
        Kind::Names => presets(),
        Kind::Seed => vec!["auto".to_owned(), "random".to_owned()],
        Kind::Text { .. } | Kind::Path | Kind::Colour => Vec::new(),
    }
}

/// Built-in ones, and the farm's.
fn presets() -> Vec<String> {
    let mut names: Vec<String> = Profile::all()
        .map(|profile| profile.name.to_owned())
        .collect();
    let own = live::settings().into_iter().filter_map(|setting| {
        let name = setting.key.strip_prefix("presets.")?;
        Some(name.split('.').next().unwrap_or(name).to_owned())
    });
    names.extend(own);
    names.dedup();
    names
}

/// Keys of the daemon's configuration.
fn keys() -> Vec<CompletionCandidate> {
    words(live::settings().into_iter().map(|setting| setting.key))
}

fn words(words: impl IntoIterator<Item = impl Into<String>>) -> Vec<CompletionCandidate> {
    let words = words.into_iter().map(Into::into);
    words
        .map(|word: String| CompletionCandidate::new(word))
        .collect()
}

fn described(value: impl Into<String>, about: impl Into<String>) -> CompletionCandidate {
    let about: String = about.into();
    CompletionCandidate::new(value.into()).help(Some(about.into()))
}
