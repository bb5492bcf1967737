//! `support-bundle`: an archive for whoever helps.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use framepack_ipc::{ErrorBody, Exit};
use framepack_jobs::{Code, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::{
    cli::SupportBundle,
    commands::info::client,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines, remark},
    support::{
        Collection, Compression, Content, Member, Privacy, Redaction, Shown, collect, write,
    },
};

/// What is in the archive only if it is asked for.
const PROMPTS: &str = "prompts";
const PICTURES: &str = "pictures and their names";

pub(crate) fn run(
    arguments: &SupportBundle,
    daemon: &Daemon,
    output: &Output,
) -> Result<Exit, Failure> {
    output.check_fields(&Written::FIELDS)?;
    let path = arguments.out.clone().unwrap_or_else(default_path);
    let compression = Compression::of(&path).map_err(Failure::new)?;
    let privacy = Privacy {
        prompts: shown(arguments.with_prompts),
        pictures: shown(arguments.with_pictures),
    };
    let (collection, records) = collect(daemon, privacy.pictures);
    let missing = collection.missing.clone();
    let mut members = members(collection, privacy);
    let redaction = Redaction::of(privacy, &records);
    for member in &mut members {
        redaction.apply(member);
    }
    write(&path, compression, &members).map_err(|error| unwritable(&path, &error))?;
    match output.format {
        Format::Text => {
            print_lines(&[path.display().to_string()])?;
            if !missing.is_empty() {
                let count = missing.len();
                remark(&format!(
                    "{count} parts could not be had; README.txt in it says which and why"
                ));
            }
        }
        Format::Json | Format::Fields(_) => {
            let written = Written::of(&path, &members, privacy, missing)
                .map_err(|error| unwritable(&path, &error))?;
            output.records("SupportBundle", &[written], Vec::new())?;
        }
    }
    Ok(Exit::Ok)
}

/// An archive that was written, for programs.
#[derive(Debug, Serialize)]
struct Written {
    /// Absolute.
    path: PathBuf,
    bytes: u64,
    /// The files in it.
    files: Vec<String>,
    /// What was not asked for.
    left_out: Vec<&'static str>,
    /// What could not be had, with why.
    missing: Vec<String>,
}

impl Written {
    const FIELDS: [&str; 5] = ["path", "bytes", "files", "left_out", "missing"];

    fn of(
        path: &Path,
        members: &[Member],
        privacy: Privacy,
        missing: Vec<String>,
    ) -> io::Result<Self> {
        let parts = [(PROMPTS, privacy.prompts), (PICTURES, privacy.pictures)];
        let left_out = parts.into_iter().filter(|(_, shown)| *shown == Shown::No);
        Ok(Self {
            bytes: fs::metadata(path)?.len(),
            path: std::path::absolute(path)?,
            files: members.iter().map(|member| member.name.clone()).collect(),
            left_out: left_out.map(|(what, _)| what).collect(),
            missing,
        })
    }
}

fn shown(is_asked_for: bool) -> Shown {
    if is_asked_for { Shown::Yes } else { Shown::No }
}

/// In the working directory; the time without characters that some systems forbid.
fn default_path() -> PathBuf {
    let now = Timestamp::now().to_string();
    let time: String = now
        .chars()
        .take(19)
        .filter(|letter| *letter != ':')
        .collect();
    format!("framepack-support-{time}.tar.zst").into()
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{}: {error}", path.display());
    let body = ErrorBody::new(Code::UNWRITABLE_FILE, message);
    Failure::new(match error.kind() {
        io::ErrorKind::AlreadyExists => body.hint("name another file with `--out FILE`"),
        _ => body,
    })
}

/// All of it, behind a text that says what it is.
fn members(collection: Collection, privacy: Privacy) -> Vec<Member> {
    let Collection { members, missing } = collection;
    let mut text = vec![
        "How a farm of framepackd is, for whoever helps its owner.".to_owned(),
        String::new(),
        left_out(PROMPTS, privacy.prompts),
        left_out(PICTURES, privacy.pictures),
        "Names of jobs, groups and folders are as they are.".to_owned(),
        String::new(),
    ];
    text.extend(members.iter().map(|member| member.name.clone()));
    if !missing.is_empty() {
        text.extend([String::new(), "Not here:".to_owned()]);
        text.extend(missing);
    }
    let readme = Member {
        name: "README.txt".to_owned(),
        content: Content::Text(text.join("\n") + "\n"),
    };
    let client = Member {
        name: "client.json".to_owned(),
        content: Content::Json(Value::Object(client())),
    };
    [readme, client].into_iter().chain(members).collect()
}

fn left_out(what: &str, shown: Shown) -> String {
    match shown {
        Shown::Yes => format!("It has {what}, as was asked for."),
        Shown::No => format!("It has no {what}."),
    }
}
