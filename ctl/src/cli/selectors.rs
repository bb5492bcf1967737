//! Which jobs a verb can do something with, by their state, and how its help names them.

use clap::{Arg, Command};
use framepack_jobs::StateName::{self, Cancelled, Done, Expired, Failed, Queued, Running};

/// Verbs that the daemon refuses for jobs of other states, with the argument that names jobs.
const VERBS: [(&str, &str, &[StateName]); 10] = [
    ("hold", "jobs", &[Queued]),
    ("release", "jobs", &[Queued]),
    ("pause", "jobs", &[Queued, Running]),
    ("resume", "jobs", &[Queued, Running]),
    ("priority", "jobs", &[Queued, Running]),
    ("cancel", "jobs", &[Queued, Running]),
    ("edit", "job", &[Queued]),
    ("set", "words", &[Queued]),
    ("retry", "jobs", &[Failed, Expired]),
    ("rm", "jobs", &[Done, Failed, Cancelled, Expired]),
];

/// The states of the jobs that a verb takes.
pub(crate) fn taken_by(verb: &str) -> &'static [StateName] {
    let found = VERBS.iter().find(|(name, ..)| *name == verb);
    found.map_or(&StateName::ALL, |(_, _, states)| states)
}

/// The command, whose verbs name in their help the jobs that they take.
pub(super) fn explained(command: Command) -> Command {
    command.mut_subcommands(|command| {
        let name = command.get_name();
        match VERBS.iter().find(|(verb, ..)| *verb == name) {
            // Unlike `mut_arg`, this leaves arguments in their order.
            Some((_, jobs, states)) => command.mut_args(|argument| {
                if argument.get_id() == jobs {
                    with_help(argument, states)
                } else {
                    argument
                }
            }),
            None => command,
        }
    })
}

fn with_help(argument: Arg, states: &[StateName]) -> Arg {
    let jobs = in_words(states);
    match argument.get_id().as_str() {
        // One job, which has a help of its own.
        "job" => argument,
        "words" => argument.help(format!(
            "{jobs}; and then keys of a job file with their new values; `KEY=` means the default"
        )),
        _ => argument.help(jobs),
    }
}

/// `A job's number, a range (3-9), @failed, …`
fn in_words(states: &[StateName]) -> String {
    let states = states.iter().map(|state| format!("@{state}, "));
    let states: String = states.collect();
    let failed = if states.contains("@failed") {
        "@failed:FP3012 or @failed:oom (failed with that code or class), "
    } else {
        ""
    };
    format!(
        "A job's number, a range (3-9), {states}@last, {failed}group:NAME, or a name (name:12 if the name is a number)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    #[test]
    fn help_names_the_states_that_are_taken_and_no_other() {
        let command = command();
        for (verb, argument, taken) in VERBS {
            if argument == "job" {
                continue;
            }
            let verb = command.find_subcommand(verb).unwrap();
            let mut arguments = verb.get_arguments();
            let found = arguments.find(|found| found.get_id() == argument);
            let help = found.unwrap().get_help().unwrap().to_string();
            for state in StateName::ALL {
                let is_named = help.contains(&format!("@{state}"));
                assert_eq!(is_named, taken.contains(&state), "{verb} @{state}: {help}");
            }
        }
    }

    #[test]
    fn the_help_of_show_names_all() {
        let command = command();
        let show = command.find_subcommand("show").unwrap();
        let jobs = show.get_arguments().find(|found| found.get_id() == "jobs");
        let help = jobs.unwrap().get_help().unwrap().to_string();
        assert_eq!(help, in_words(&StateName::ALL));
    }
}
