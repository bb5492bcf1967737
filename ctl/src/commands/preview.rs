//! `preview`: what a job's video looks like so far, in the terminal or in a file.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    thread::sleep,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use framepack_ipc::{
    ErrorBody, Exit,
    client::ClientError,
    control::{Request, Response, SelectRequest},
    preview::{Preview, PreviewKind, PreviewRequest},
};
use framepack_jobs::{Code, Job, JobId, Selector};
use ratatui::crossterm::terminal::window_size;

use crate::{
    cli::{self, Protocol},
    daemon::Daemon,
    delivery::unwritable,
    failure::Failure,
    output::{Format, Output, print_lines, remark},
    terminal::{
        self, ColourChoice, Terminal,
        cut::escaped,
        graphics::{Drawing, Encoded, Graphics, Window},
        picture::Picture,
    },
};

/// Time between two looks at a job that is watched.
const PAUSE: Duration = Duration::from_secs(1);
/// Rows beneath a picture: what it shows, and the prompt.
const ROWS_BELOW: usize = 2;

/// Where pictures go.
enum Target<'a> {
    Terminal(Graphics),
    File(&'a Path),
    /// The message itself, as JSON.
    Message(&'a Output),
}

/// What was shown last, and how many rows that took.
#[derive(Default)]
struct Shown {
    preview: Option<Preview>,
    rows: usize,
}

pub(crate) fn run(
    arguments: &cli::Preview,
    daemon: &Daemon,
    output: &Output,
) -> Result<Exit, Failure> {
    let target = target(arguments, output)?;
    let mut shown = Shown::default();
    let mut job = one_job(daemon, arguments.job.clone())?;
    loop {
        // Before its picture is asked for: what comes after its end is its last.
        let is_last = !arguments.watch || job.is_finished();
        match preview(daemon, job.id) {
            Ok(preview) if shown.preview.as_ref() != Some(&preview) => {
                shown.rows = target.show(&job, &preview, shown.rows)?;
                shown.preview = Some(preview);
            }
            Ok(_) => {}
            Err(Failure::Error(error)) if !is_last && error.error.code == Code::NO_PREVIEW => {}
            Err(failure) => return Err(failure),
        }
        if is_last {
            return Ok(Exit::Ok);
        }
        sleep(PAUSE);
        job = one_job(daemon, Selector::Id(job.id))?;
    }
}

fn target<'a>(arguments: &'a cli::Preview, output: &'a Output) -> Result<Target<'a>, Failure> {
    if let Some(file) = &arguments.out {
        return Ok(Target::File(file));
    }
    if output.format != Format::Text {
        return Ok(Target::Message(output));
    }
    let graphics = match arguments.protocol {
        None => terminal::graphics().ok_or_else(no_graphics)?,
        Some(Protocol::Kitty) => Graphics::Kitty,
        Some(Protocol::Sixel) => Graphics::Sixel,
        Some(Protocol::Blocks) => Graphics::Blocks(terminal::palette()),
    };
    Ok(Target::Terminal(graphics))
}

fn no_graphics() -> Failure {
    let error = ErrorBody::new(Code::USAGE, "standard output shows no pictures");
    Failure::new(error.hint(
        "write it to a file with `--out FILE.png`, or say with `--as` how pictures are shown",
    ))
}

fn preview(daemon: &Daemon, job: JobId) -> Result<Preview, Failure> {
    let kind = PreviewKind::Latest;
    let request = Request::Preview(PreviewRequest { job, kind });
    match daemon.ask(&request)? {
        Response::Preview(preview) => Ok(preview),
        _ => Err(ClientError::Unexpected.into()),
    }
}

fn one_job(daemon: &Daemon, selector: Selector) -> Result<Job, Failure> {
    let jobs = vec![selector];
    match daemon.ask(&Request::Show(SelectRequest { jobs }))? {
        Response::Jobs { mut jobs } if jobs.len() == 1 => Ok(jobs.remove(0)),
        Response::Jobs { jobs } => {
            let message = format!("`preview` takes one job; {} match", jobs.len());
            Err(Failure::new(ErrorBody::new(Code::USAGE, message)))
        }
        _ => Err(ClientError::Unexpected.into()),
    }
}

impl Target<'_> {
    /// Shows a picture in the place of one that took so many rows. Returns how many it takes.
    fn show(&self, job: &Job, preview: &Preview, rows: usize) -> Result<usize, Failure> {
        let caption = escaped(&format!("job {} ({}): {}", job.id, job.name, preview.of));
        match self {
            Self::Message(output) => {
                output.records("Preview", std::slice::from_ref(preview), Vec::new())?;
                Ok(0)
            }
            Self::File(file) => {
                write(file, &decoded(preview)?)?;
                remark(&caption);
                print_lines(&[file.display().to_string()])?;
                Ok(0)
            }
            Self::Terminal(graphics) => {
                let drawing = draw(*graphics, preview)?;
                let mut stdout = io::stdout().lock();
                if rows > 0 {
                    write!(stdout, "\x1b[{rows}A\r\x1b[J")?;
                }
                writeln!(stdout, "{}{caption}", drawing.text)?;
                stdout.flush()?;
                Ok(drawing.rows + 1)
            }
        }
    }
}

fn draw(graphics: Graphics, preview: &Preview) -> Result<Drawing, Failure> {
    let encoded = Encoded {
        base64: &preview.data,
        size_px: (preview.width_px as usize, preview.height_px as usize),
    };
    graphics.draw(encoded, window(), || {
        Picture::from_png(&decoded(preview)?).map_err(|error| no_picture(&error))
    })
}

/// The window, less what stands beneath a picture.
fn window() -> Window {
    let size = window_size().ok();
    let found = |found: fn(&ratatui::crossterm::terminal::WindowSize) -> u16| {
        size.as_ref()
            .map(|size| usize::from(found(size)))
            .filter(|number| *number > 0)
    };
    let columns = found(|size| size.columns);
    let rows = found(|size| size.rows);
    let cell_px = || {
        let width = found(|size| size.width)? / columns?;
        let height = found(|size| size.height)? / rows?;
        Some((width, height)).filter(|(width, height)| *width > 0 && *height > 0)
    };
    Window {
        columns: columns.unwrap_or_else(|| Terminal::stdout(ColourChoice::Auto).width),
        rows: rows.unwrap_or(24).saturating_sub(ROWS_BELOW).max(1),
        cell_px: cell_px(),
    }
}

fn decoded(preview: &Preview) -> Result<Vec<u8>, Failure> {
    let data = BASE64_STANDARD.decode(&preview.data);
    data.map_err(|error| no_picture(&error))
}

fn no_picture(error: &dyn std::error::Error) -> Failure {
    let message = format!("the daemon sent a picture that is none: {error}");
    Failure::new(ErrorBody::new(Code::BAD_MESSAGE, message))
}

/// Puts the picture there, whole, in the place of one that is there.
fn write(file: &Path, data: &[u8]) -> Result<(), Failure> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let unfinished = file.with_file_name(name);
    let written = fs::write(&unfinished, data).and_then(|()| fs::rename(&unfinished, file));
    written.map_err(|error| {
        // A file that was never made can't be removed.
        let _ = fs::remove_file(&unfinished);
        Failure::new(unwritable(file, &error))
    })
}
