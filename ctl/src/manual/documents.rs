//! Pages that are made from documents: those that are made from the tables, the documented configuration, and what is
//! written for framepackd(8) here.

use clap_mangen::roff::{Roff, bold, roman};

use super::{Page, markdown};

const JOB: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/JOB.md"));
const ERRORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ERRORS.md"));
const SETTINGS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/SETTINGS.md"));
const CONFIGURATION: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../config/framepackd.yaml"
));
const DAEMON: &str = include_str!("framepackd.md");

/// What a page is called, and what it is about.
struct Title {
    name: &'static str,
    section: char,
    about: &'static str,
}

/// All of them.
pub(super) fn documents() -> Vec<Page> {
    vec![
        page(
            &Title {
                name: "framepackd",
                section: '8',
                about: "renders FramePack videos from a queue",
            },
            |page| markdown::write(DAEMON, page),
        ),
        page(
            &Title {
                name: "framepackd.yaml",
                section: '5',
                about: "configuration of framepackd",
            },
            configuration,
        ),
        page(
            &Title {
                name: "framepack-job",
                section: '5',
                about: "job file of framepackd",
            },
            |page| markdown::write(JOB, page),
        ),
        page(
            &Title {
                name: "framepack-errors",
                section: '7',
                about: "error codes of framepackd and framepackctl",
            },
            |page| markdown::write(ERRORS, page),
        ),
    ]
}

fn page(title: &Title, body: impl FnOnce(&mut Roff)) -> Page {
    let mut page = Roff::new();
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{} - {}", title.name, title.about))]);
    page.control("SH", ["DESCRIPTION"]);
    body(&mut page);
    page.control("SH", ["SEE ALSO"]);
    page.text([
        bold("framepackctl"),
        roman("(1), "),
        bold("framepackd"),
        roman("(8), "),
        bold("framepackd.yaml"),
        roman("(5), "),
        bold("framepack-job"),
        roman("(5), "),
        bold("framepack-errors"),
        roman("(7)"),
    ]);
    Page {
        name: title.name.to_owned(),
        section: title.section,
        roff: page.render(),
    }
}

/// The documented file as it is, and the settings of jobs.
fn configuration(page: &mut Roff) {
    page.text([
        roman("The file that "),
        bold("framepackd --config"),
        roman(" reads, /etc/framepackd/framepackd.yaml by default. "),
        bold("framepackd config check"),
        roman(" says what is wrong with it."),
    ]);
    page.control("SH", ["KEYS"]);
    markdown::code(CONFIGURATION.lines(), page);
    page.control("SH", ["SETTINGS OF JOBS"]);
    markdown::write(SETTINGS, page);
}
