//! framepackctl(1) and a page for each command, from the command line itself.

use clap::Command;
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::Page;

/// Pages that every page of a command names.
const OTHERS: [(&str, &str); 4] = [
    ("framepackd", "8"),
    ("framepackd.yaml", "5"),
    ("framepack-job", "5"),
    ("framepack-errors", "7"),
];

/// The pages of all commands, the first of them framepackctl(1).
pub(super) fn pages_of(command: &Command) -> Vec<Page> {
    let mut left = vec![built(command)];
    let mut pages = Vec::new();
    while let Some(command) = left.pop() {
        pages.push(page(&command));
        let shown = command
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        left.extend(shown.cloned());
    }
    pages
}

/// With all names and options that commands have from those above them.
fn built(command: &Command) -> Command {
    let mut command = command.clone().disable_help_subcommand(true);
    command.build();
    command
}

fn page(command: &Command) -> Page {
    // The reference of exit codes is of the whole program, under a heading of its own.
    let exits = command.get_after_help().map(ToString::to_string);
    let man = Man::new(command.clone().after_help(None));
    let name = man.get_filename();
    let name = name.trim_end_matches(".1").to_owned();
    let mut written = Vec::new();
    man.render(&mut written).expect(NEVER_FAILS);
    let written = String::from_utf8(written).expect("it was written from strings");
    let lines = written.lines().filter(|line| !line.starts_with(".TH "));
    let roff = lines.collect::<Vec<_>>().join("\n") + "\n";
    let mut rest = Roff::new();
    if let Some(exits) = exits {
        rest.control("SH", ["EXIT STATUS"]);
        rest.text([roman(exits.trim_start_matches("Exit codes: "))]);
    }
    rest.control("SH", ["SEE ALSO"]);
    rest.text(see_also(&name));
    Page {
        name,
        section: '1',
        roff: roff + &rest.to_roff(),
    }
}

const NEVER_FAILS: &str = "writing to a vector cannot fail";

/// The other pages, as `name(section)`.
fn see_also(own: &str) -> Vec<clap_mangen::roff::Inline> {
    let main = ("framepackctl", "1");
    let others = [main]
        .into_iter()
        .chain(OTHERS)
        .filter(|(name, _)| *name != own);
    let mut inlines = Vec::new();
    for (at, (name, section)) in others.enumerate() {
        if at > 0 {
            inlines.push(roman(", "));
        }
        inlines.push(bold(name));
        inlines.push(roman(format!("({section})")));
    }
    inlines
}
