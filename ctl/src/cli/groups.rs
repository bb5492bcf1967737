//! The commands in the help, by what they are for.

use clap::Command;

/// The groups with their commands, in the order in which people meet them.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Submit", &["submit", "run", "plan", "init"]),
    (
        "Look",
        &[
            "status", "top", "list", "show", "preview", "logs", "events", "queue", "report",
            "usage", "info",
        ],
    ),
    (
        "Change",
        &[
            "cancel", "hold", "release", "pause", "resume", "priority", "edit", "set", "retry",
            "rm",
        ],
    ),
    ("Wait", &["wait"]),
    (
        "Service",
        &[
            "ping",
            "doctor",
            "gpu",
            "folder",
            "config",
            "state",
            "models",
            "metrics",
            "warmup",
            "unload",
            "drain",
            "reload",
            "gc",
            "cache",
            "support-bundle",
            "explain",
            "man",
            "completions",
            "help",
        ],
    ),
];

/// What the command `help` is for.
const HELP: &str = "Print the help of a command";
/// Between the names and what they are for.
const GAP: usize = 2;

/// The same with its commands in groups: clap has one heading for all.
pub(super) fn grouped(command: Command) -> Command {
    let header = command.get_styles().get_header();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{}\n\
         {header}Options:{header:#}\n{{options}}{{after-help}}",
        groups(&command)
    );
    command.help_template(template)
}

fn groups(command: &Command) -> String {
    let names = GROUPS.iter().flat_map(|(_, names)| names.iter());
    let widest = names.map(|name| name.len()).max().unwrap_or(0);
    let styles = command.get_styles();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let mut lines = Vec::new();
    for (heading, names) in GROUPS {
        lines.push(format!("\n{header}{heading}:{header:#}"));
        for name in names {
            let found = command.find_subcommand(name).and_then(Command::get_about);
            // clap adds the command `help` once it has understood the others.
            let about = found.map_or_else(|| HELP.to_owned(), ToString::to_string);
            let padding = " ".repeat(widest - name.len() + GAP);
            lines.push(format!("  {literal}{name}{literal:#}{padding}{about}"));
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::{Cli, command};

    #[test]
    fn every_command_is_in_one_group() {
        let command = Cli::command();
        let shown = command
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        let mut shown: BTreeSet<&str> = shown.map(Command::get_name).collect();
        shown.insert("help");
        let grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        assert_eq!(grouped.iter().copied().collect::<BTreeSet<_>>(), shown);
        assert_eq!(
            grouped.len(),
            shown.len(),
            "one is in two groups: {grouped:?}"
        );
    }

    #[test]
    fn the_help_has_groups_options_and_exit_codes() {
        let help = command().render_help().to_string();
        for expected in [
            "Submit FramePack jobs",
            "\nUsage: framepackctl [OPTIONS] [COMMAND]\n",
            "\nSubmit:\n  submit  ",
            "\nChange:\n  cancel  ",
            "\nOptions:\n      --socket <PATH>",
            "\nExit codes: 0 ok,",
        ] {
            assert!(help.contains(expected), "{expected}: {help}");
        }
    }
}
