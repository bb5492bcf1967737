//! The command line: its commands and global options here, the arguments of each command in a file by topic.

mod change;
mod daemon;
mod duration;
mod events;
mod groups;
mod jobs;
mod list;
mod logs;
mod look;
mod mistake;
mod one_shot;
mod preview;
mod report;
mod schedule;
mod selectors;
mod service;
mod since;
mod status;
mod submit;
mod upkeep;
mod wait;

pub(crate) use change::{Cancel, Consent, Edit, Remove, Retry, Set};
pub(crate) use daemon::{Config, Folder, Gpu, State};
pub(crate) use events::Events;
pub(crate) use jobs::{Jobs, Target};
pub(crate) use list::{List, Order, SortKey};
pub(crate) use logs::Logs;
use look::{GLOBAL, Look};
pub(crate) use one_shot::{Bundle, Init, Models, Run, WORDS};
pub(crate) use preview::{Preview, Protocol};
pub(crate) use report::Report;
pub(crate) use schedule::{Pause, Priority};
pub(crate) use selectors::taken_by;
pub(crate) use service::{Drain, Unload, WarmUp};
pub(crate) use since::Since;
pub(crate) use status::Status;
pub(crate) use submit::{Plan, Planned, Submit};
pub(crate) use upkeep::{CacheAction, Gc, Man, SupportBundle, Usage};
pub(crate) use wait::{Awaited, Wait};

use std::{env, ffi::OsString};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use framepack_jobs::Code;

use crate::output::{Format, Output};

/// Submit FramePack jobs to framepackd, follow them and control them.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Cli {
    /// The daemon's socket [default: /run/framepackd/framepackd.sock]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "PATH", env = "FRAMEPACKD_SOCKET", value_parser = clap::value_parser!(OsString))]
    pub(crate) socket: Option<OsString>,

    /// Print JSON: whole records, or the named fields (nested ones with dots: --json=id,result.video)
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "FIELD,…",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_delimiter = ','
    )]
    json: Option<Vec<String>>,

    #[command(flatten)]
    look: Look,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 ok, 1 other failure, 2 usage, 3 daemon not reachable, 4 no such job, 5 not permitted,
6 invalid job file, 7 a waited job failed, 8 a waited job was cancelled, 9 timeout, 10 conflict,
11 no resource, 12 protocol mismatch, 13 degraded (doctor), 14 state damaged, 130 interrupted";

const RUN_USAGE: &str = "\
framepackctl run --image <FILE> [--prompt <TEXT>] [OPTIONS]
       framepackctl run <JOB FILE> [OPTIONS]
       framepackctl run --resume <DIR> [-o <OUT.mp4>]";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Render one job and follow it; starts a daemon where none answers
    #[command(override_usage = RUN_USAGE)]
    Run(Run),
    /// Write a farm folder: configuration, jobs folder, example
    Init(Init),
    /// Fetch, list, verify or import models
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Models(Models),
    /// Submit a job file
    Submit(Submit),
    /// Show the farm on one screen, or jobs with their last log lines; what framepackctl does without a command
    Status(Status),
    /// Watch devices, running jobs and the queue live, and control them by keys
    Top,
    /// List jobs: all, or those of a state, a group or a time
    #[command(visible_alias = "ls")]
    List(List),
    /// Show all details of jobs
    Show(Jobs),
    /// Wait until jobs have finished, or the farm is idle
    Wait(Wait),
    /// Show how much memory and time a job would take, without queueing it
    Plan(Plan),
    /// Show the order in which jobs will run, why, and when
    Queue,
    /// Hold queued jobs: they wait until they are released
    Hold(Jobs),
    /// Release held jobs
    Release(Jobs),
    /// Pause jobs, running and queued ones, across restarts too
    Pause(Pause),
    /// Resume paused jobs; try those again that wait for the farm
    Resume(Target),
    /// Set the priority of jobs
    Priority(Priority),
    /// Queue failed jobs again; they go on after their last section
    Retry(Retry),
    /// Cancel jobs
    Cancel(Cancel),
    /// Show what a job's video looks like so far, in the terminal or as a file
    Preview(Preview),
    /// Edit a queued job in $VISUAL or $EDITOR; it keeps its number and its place in the queue
    Edit(Edit),
    /// Set keys of queued jobs, such as `set 7 steps=32 priority=5`
    Set(Set),
    /// Remove jobs that have ended from the list, with all but their videos and reports
    Rm(Remove),
    /// Print a job's log
    Logs(Logs),
    /// Print what happened to jobs, devices and the farm, one JSON object a line, and what happens
    Events(Events),
    /// Report on the night: what is done, what failed and what to do about it, times, energy, the queue
    Report(Report),
    /// Start no more jobs, across restarts too, and wait until the running ones have ended; `resume --all` starts jobs again
    Drain(Drain),
    /// Load the models on idle devices before the first job needs them; `idle.warm_after_secs` counts from then on
    #[command(name = "warmup")]
    WarmUp(WarmUp),
    /// Free memory of idle devices at once; the next job loads its models again
    Unload(Unload),
    /// Have the daemon read its configuration again, and list what changed and what needs a restart
    Reload,
    /// Manage devices
    Gpu {
        #[command(subcommand)]
        action: Gpu,
    },
    /// Manage the jobs folder
    // Its former name, which scripts may use.
    #[command(alias = "watch")]
    Folder {
        #[command(subcommand)]
        action: Folder,
    },
    /// Show the settings that the daemon runs with
    Config {
        #[command(subcommand)]
        action: Config,
    },
    /// Print the daemon's metrics as OpenMetrics text
    Metrics,
    /// Check everything that rendering needs, from socket to GPU
    Doctor,
    /// Manage the daemon's job store
    State {
        #[command(subcommand)]
        action: State,
    },
    /// Check that the daemon answers, and show what it is doing
    Ping,
    /// Show versions, paths, counts and limits
    Info,
    /// Show what jobs took of disks, energy and time
    Usage(Usage),
    /// Remove now what nobody needs: work folders of ended jobs, files of no job. Never a video
    Gc(Gc),
    /// Look at caches, or clear them
    Cache {
        #[command(subcommand)]
        action: CacheAction,
    },
    /// Write an archive for whoever helps: how everything is, without prompts and pictures
    SupportBundle(SupportBundle),
    /// Explain an error code, as in `explain FP2103`
    Explain {
        /// The code
        code: Code,
    },
    /// Print shell completions, which ask the daemon for jobs and groups
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages
    Man(Man),
}

/// The command line.
pub(crate) fn command() -> clap::Command {
    groups::grouped(selectors::explained(Cli::command()))
}

impl Cli {
    /// What was typed; help and mistakes are printed here, and end the process.
    pub(crate) fn read() -> Self {
        let colour = Look::typed_colour(env::args_os());
        let matches = command().color(colour).try_get_matches();
        let read = matches.and_then(|matches| Self::from_arg_matches(&matches));
        read.unwrap_or_else(|error| mistake::tell(&error))
    }

    /// How records are to be printed.
    pub(crate) fn output(&self) -> Output {
        let format = match &self.json {
            None => Format::Text,
            Some(fields) if fields.iter().all(String::is_empty) => Format::Json,
            Some(fields) => Format::Fields(fields.clone()),
        };
        Output::new(format, self.look.color, self.look.headings())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_says_where_the_installed_daemon_is() {
        let help = Cli::command().render_help().to_string();
        let default = format!("[default: {}]", framepack_ipc::control::DEFAULT_SOCKET);
        assert!(help.contains(&default), "{help}");
    }

    #[test]
    fn a_rescan_has_its_former_name_too() {
        for name in ["folder", "watch"] {
            let cli = Cli::try_parse_from(["ctl", name, "scan"]).unwrap();
            let Some(Command::Folder {
                action: Folder::Scan,
            }) = cli.command
            else {
                panic!("{name} scan is {:?}", cli.command);
            };
        }
        let help = Cli::command().render_help().to_string();
        assert!(!help.contains("watch"), "{help}");
    }

    #[test]
    fn json_takes_fields_only_behind_an_equals_sign() {
        let format = |arguments: &[&str]| {
            Cli::try_parse_from(arguments)
                .map(|cli| cli.output().format)
                .map_err(|err| err.kind())
        };
        assert_eq!(format(&["ctl", "list"]), Ok(Format::Text));
        assert_eq!(format(&["ctl", "list", "--json"]), Ok(Format::Json));
        assert_eq!(format(&["ctl", "--json", "show", "1"]), Ok(Format::Json));
        let fields = vec!["id".to_owned(), "result.video".to_owned()];
        assert_eq!(
            format(&["ctl", "list", "--json=id,result.video"]),
            Ok(Format::Fields(fields))
        );
    }
}
