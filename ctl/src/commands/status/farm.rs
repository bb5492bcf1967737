//! The farm on one screen.

use std::{thread, time::Duration};

use framepack_ipc::{
    client::{Client, ClientError},
    control::{Request, Response},
    farm::FarmStatus,
    queue::{QueueEntry, QueueView, Standing},
};
use framepack_jobs::Timestamp;

use super::plain;
use crate::{
    daemon::Daemon,
    failure::Failure,
    farm::{self, Line},
    output::{Format, Output, print_as_is, print_lines},
    terminal::{Terminal, style::Style},
};

/// Waiting jobs that are shown.
const NEXT: usize = 3;
/// A driver that is asked only while jobs run told its figures long ago: it has this long to tell newer ones.
const PATIENCE: Duration = Duration::from_millis(400);
const OLD_SECS: f64 = 60.0;

pub(super) fn run(daemon: &Daemon, terminal: &Terminal, output: &Output) -> Result<(), Failure> {
    output.check_fields(&FarmStatus::FIELDS)?;
    let mut client = daemon.connect()?;
    let farm = fresh(&mut client)?;
    match output.format {
        _ if output.is_text_for_people() => {
            let Response::Queue(queue) = client.call(&Request::Queue)? else {
                return Err(ClientError::Unexpected.into());
            };
            let lines = screen(&farm, &queue, Timestamp::now(), terminal);
            let lines = lines.iter().map(|line| line.painted(terminal));
            print_as_is(&lines.collect::<Vec<_>>())
        }
        Format::Text => print_lines(&plain::lines(&farm)),
        Format::Json | Format::Fields(_) => output.records("FarmStatus", &[farm], Vec::new()),
    }
}

/// The farm with figures that are not too old, where its drivers answer.
fn fresh(client: &mut Client) -> Result<FarmStatus, Failure> {
    let farm = ask(client)?;
    let mut figures = farm.devices.iter().filter_map(|device| device.gpu);
    if figures.all(|gpu| gpu.age_secs < OLD_SECS) {
        return Ok(farm);
    }
    thread::sleep(PATIENCE);
    ask(client)
}

fn ask(client: &mut Client) -> Result<FarmStatus, Failure> {
    match client.call(&Request::Farm)? {
        Response::Farm(farm) => Ok(*farm),
        _ => Err(ClientError::Unexpected.into()),
    }
}

/// All of it, in parts under headings.
fn screen(farm: &FarmStatus, queue: &QueueView, now: Timestamp, terminal: &Terminal) -> Vec<Line> {
    let mut lines = vec![farm::daemon(farm, terminal)];
    let notices = farm::notices(farm, now, terminal).into_iter();
    lines.extend(notices.flat_map(|notice| notice.wrapped(terminal.width)));
    let mut devices = farm::devices(farm, terminal);
    devices.extend(farm::machine(farm, terminal));
    let waits =
        |entry: &&QueueEntry| !matches!(entry.standing, Standing::Running | Standing::Paused);
    let next = queue.jobs.iter().filter(waits).take(NEXT);
    let mut next = farm::waiting(next, now, terminal);
    let more = usize::try_from(farm.queued)
        .unwrap_or(usize::MAX)
        .saturating_sub(next.len());
    if more > 0 {
        next.push(Line::new(
            format!("… and {more} more: `framepackctl queue`"),
            Style::Dim,
        ));
    }
    for (heading, part) in [
        ("Devices", devices),
        ("Running", farm::running(farm, terminal)),
        ("Next", next),
        (
            "Failed in the last 24 h",
            farm::failures(farm, now, terminal),
        ),
    ] {
        if !part.is_empty() {
            lines.extend([Line::default(), Line::new(heading, Style::Heading)]);
            lines.extend(part);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        farm::example,
        terminal::{Colour, Reader, symbol::Symbols},
    };

    fn shown(farm: &FarmStatus, width: usize, symbols: Symbols) -> String {
        let terminal = Terminal {
            reader: Reader::Person,
            width,
            colour: Colour::Off,
            symbols,
        };
        let lines = screen(farm, &example::queue(), example::now(), &terminal);
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        lines.join("\n") + "\n"
    }

    #[test]
    fn the_farm_fits_a_terminal_of_80_by_24() {
        let expected = "\
● framepackd 0.1.0  up 9 h 12 min  1 running, 2 waiting, all done in 5 to 8 h
▲ /mnt/videos has not answered since 22:10: jobs with files there wait [FP5023]
  see whether the server is up

Devices
cuda:0  RTX 4090  busy       ████████░░  19.2/24.0 GiB  61 °C  318 W
cuda:1  RTX 4090  idle, hot  █████░░░░░  11.0/24.0 GiB  44 °C  21 W   3 min ago
memory ██████░░░░ 41.0/64.0 GiB   outputs, state 212 GiB free

Running
▶ 317  shot042/s7  section 3/4 step 18/25  68 %  1.41 s/step  1 min 52 s left

Next
○ 318  shot042/s8                moved up: its model is loaded  begins in 1 h
‖ 319  shot043-the-…-at-dawn/s1  held by a user

Failed in the last 24 h
✖ 314  shot041/s2  latents hold NaN in section 2 [FP5004]  25 min ago
";
        let found = shown(&example::farm(), 80, Symbols::Unicode);
        assert!(found == expected, "{found}");
    }

    #[test]
    fn what_does_not_fit_a_line_is_in_the_next_one() {
        let mut farm = example::farm();
        for (n, name) in ["videos of the night", "models"].iter().enumerate() {
            let mut disk = farm.disks[0].clone();
            disk.folder = (*name).to_owned();
            disk.space.as_mut().unwrap().free_bytes += n as u64 + 1;
            farm.disks.push(disk);
        }
        let shown = shown(&farm, 80, Symbols::Unicode);
        let expected = "\
memory ██████░░░░ 41.0/64.0 GiB   outputs, state 212 GiB free
videos of the night 212 GiB free   models 212 GiB free
";
        assert!(shown.contains(expected), "{shown}");
    }

    #[test]
    fn a_terminal_without_symbols_loses_nothing() {
        let found = shown(&example::farm(), 80, Symbols::Ascii);
        for line in [
            "* framepackd",
            "> 317",
            "- 318",
            "= 319",
            "x 314",
            "########..",
        ] {
            assert!(found.contains(line), "{line} in\n{found}");
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut farm = example::farm();
        farm.queued = 40;
        farm.paused =
            Some("the queue is paused; `framepackctl resume --all` resumes it".to_owned());
        for width in [40, 80, 132] {
            for line in shown(&farm, width, Symbols::Unicode).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}
