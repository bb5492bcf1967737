//! What an event makes of the state, and what is to be done about it.

use framepack_ipc::queue::{Boundary, Change, ChangeRequest, QueueEntry, Scope, Standing};
use framepack_jobs::{JobId, Selector, Timestamp};

use super::{
    event::{Event, Remark},
    keys::{Action, Motion, action},
    link::Order,
    state::{Log, Mode, Top},
};

/// Jobs or lines of a page.
const PAGE: usize = 10;
/// The least and the highest priority.
const LEAST: i32 = -1000;
const HIGHEST: i32 = 1000;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Tell the daemon.
    Order(Order),
    /// Read this job's log.
    Follow(JobId),
    /// Read it no more.
    LeaveLog,
    /// The user has seen enough.
    Quit,
    /// A signal ends it.
    Interrupted,
    /// A part of it has panicked.
    Broken,
}

pub(super) fn update(top: &mut Top, event: Event, now: Timestamp) -> Vec<Effect> {
    match event {
        Event::Key(key) => {
            top.remark = None;
            return action(key).map_or_else(Vec::new, |action| act(top, action));
        }
        Event::View(view) => {
            top.view = *view;
            top.lost = None;
            top.keep_selection();
        }
        Event::Lost(why) => {
            let since = top.lost.take().map_or(now, |(_, since)| since);
            top.lost = Some((why, since));
        }
        Event::Preview(preview) => top.preview = preview,
        Event::Changed(remark) => top.remark = Some(remark),
        Event::Log(job, lines) => match &mut top.mode {
            Mode::Log(log) if log.job == job => log.extend(lines),
            _ => {}
        },
        // It is drawn again in any case.
        Event::Resized => {}
        Event::InputLost | Event::Interrupted => return vec![Effect::Interrupted],
        Event::Panicked => return vec![Effect::Broken],
    }
    Vec::new()
}

fn act(top: &mut Top, action: Action) -> Vec<Effect> {
    match (&mut top.mode, action) {
        (_, Action::Quit) => return vec![Effect::Quit],
        (Mode::Cancel(job), Action::Yes | Action::Keep) => {
            let change = match action {
                Action::Keep => Change::CancelKeep,
                _ => Change::Cancel,
            };
            let job = *job;
            top.mode = Mode::List;
            return order(top, job, change);
        }
        (Mode::Log(log), Action::Move(motion)) => {
            let last = log.lines.len().saturating_sub(1);
            // What is above is farther from the end.
            log.below = moved(last - log.below.min(last), last + 1, motion).abs_diff(last);
        }
        (Mode::Log(_), Action::Back | Action::Logs) => {
            top.mode = Mode::List;
            return vec![Effect::LeaveLog];
        }
        (Mode::List | Mode::Failures, Action::Help) => top.mode = Mode::Help,
        (Mode::Help | Mode::Failures | Mode::Cancel(_), _) => top.mode = Mode::List,
        (Mode::Log(_), Action::Help) => {
            top.mode = Mode::Help;
            return vec![Effect::LeaveLog];
        }
        (Mode::List, Action::Move(motion)) => {
            top.select(moved(top.place(), top.jobs().len(), motion));
        }
        (Mode::List, Action::Failures) => top.mode = Mode::Failures,
        (Mode::List, Action::PauseAll) => return vec![pause_all(top)],
        (Mode::List, Action::Yes | Action::Keep | Action::Back) | (Mode::Log(_), _) => {}
        (Mode::List, _) => return of_selected(top, action),
    }
    Vec::new()
}

/// What is done with the selected job; where there is nothing to do, the footer says why.
fn of_selected(top: &mut Top, action: Action) -> Vec<Effect> {
    let Some(entry) = top.selected_entry() else {
        return refuse(top, "no job of the queue is selected".to_owned());
    };
    let job = entry.id;
    let change = match action {
        Action::Pause => pause(entry, &top.view.queue.paused_groups),
        Action::Hold => hold(entry),
        Action::Raise(by) => raise(entry, by),
        Action::Cancel => {
            top.mode = Mode::Cancel(job);
            return Vec::new();
        }
        Action::Logs => {
            top.mode = Mode::Log(Log::new(job));
            return vec![Effect::Follow(job)];
        }
        _ => return Vec::new(),
    };
    match change {
        Ok(change) => order(top, job, change),
        Err(why) => refuse(top, why),
    }
}

fn refuse(top: &mut Top, why: String) -> Vec<Effect> {
    top.remark = Some(Remark::Refused(why));
    Vec::new()
}

/// Only what runs can be paused, and go on.
fn pause(entry: &QueueEntry, paused_groups: &[String]) -> Result<Change, String> {
    let job = entry.id;
    let group = entry.group.as_ref();
    let paused_group = group.filter(|group| paused_groups.contains(group));
    match entry.standing {
        Standing::Running | Standing::Unknown => Ok(Change::Pause {
            at: Boundary::Section,
        }),
        Standing::Paused => Ok(Change::Resume),
        Standing::Held if let Some(group) = paused_group => Err(format!(
            "job {job} does not run, as its group is paused: `framepackctl resume --group {group}`"
        )),
        Standing::Held => Err(format!("job {job} is held and does not run: h releases it")),
        Standing::Ready | Standing::Waiting => {
            Err(format!("job {job} does not run yet: h holds it"))
        }
    }
}

/// Only what waits can be held, and released.
fn hold(entry: &QueueEntry) -> Result<Change, String> {
    let job = entry.id;
    match entry.standing {
        Standing::Ready | Standing::Waiting | Standing::Unknown => Ok(Change::Hold),
        Standing::Held => Ok(Change::Release),
        Standing::Running => Err(format!("job {job} is running already: p pauses it")),
        Standing::Paused => Err(format!("job {job} is paused: p lets it go on")),
    }
}

fn raise(entry: &QueueEntry, by: i32) -> Result<Change, String> {
    let priority = (entry.priority + by).clamp(LEAST, HIGHEST);
    if priority == entry.priority {
        let job = entry.id;
        return Err(format!(
            "job {job} has priority {priority}: it goes no farther"
        ));
    }
    Ok(Change::Priority { priority })
}

fn order(top: &mut Top, job: JobId, change: Change) -> Vec<Effect> {
    if top.lost.is_some() {
        top.remark = Some(Remark::Refused("framepackd does not answer".to_owned()));
        return Vec::new();
    }
    let scope = Scope::Jobs(vec![Selector::Id(job)]);
    vec![Effect::Order(Order {
        change: ChangeRequest { scope, change },
        subject: format!("job {job}"),
    })]
}

fn pause_all(top: &Top) -> Effect {
    let change = match top.view.queue.paused {
        Some(_) => Change::Resume,
        None => Change::Pause {
            at: Boundary::Section,
        },
    };
    Effect::Order(Order {
        change: ChangeRequest {
            scope: Scope::All,
            change,
        },
        subject: "the queue".to_owned(),
    })
}

/// A place among so many, moved.
fn moved(place: usize, count: usize, motion: Motion) -> usize {
    let last = count.saturating_sub(1);
    match motion {
        Motion::Up => place.saturating_sub(1),
        Motion::Down => (place + 1).min(last),
        Motion::PageUp => place.saturating_sub(PAGE),
        Motion::PageDown => (place + PAGE).min(last),
        Motion::First => 0,
        Motion::Last => last,
    }
}
