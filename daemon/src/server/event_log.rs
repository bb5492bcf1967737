//! `events`: what happened to jobs, devices and the farm, read from its log, and what happens.

use std::{
    collections::BTreeSet,
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use framepack_ipc::{
    ErrorBody,
    control::{Request, Response, SelectRequest},
    event::{Event, EventType, EventsRequest, Since},
};
use framepack_jobs::{Code, Job, JobId, Timestamp};
use tokio::{
    select,
    sync::broadcast::{self, error::RecvError},
    task,
};

use super::{connection::Connection, selected::selected, service::Service, unanswered::Unanswered};
use crate::{
    events::{EventsView, Line, Reader, Unread},
    queue::Stopping,
};

/// Events in one message.
const LINES: usize = 256;
/// What is shown to who does not say where to begin.
const RECENT: Duration = Duration::from_hours(24);

pub(super) async fn event_log(
    service: &Service,
    request: EventsRequest,
    connection: &mut Connection,
) -> Result<(), Unanswered> {
    let wanted = Wanted::of(service, &request).await?;
    let mut steps = wanted.steps().then(|| service.queue.subscribe());
    let mut view = service.events.clone();
    let mut reader = begin(&view, &request).await?;
    send(Vec::new(), &reader, connection).await?;
    loop {
        let (read, lines) = read(reader).await?;
        reader = read;
        if !lines.is_empty() {
            // Also when none of them is wanted: the client goes on behind them.
            send(wanted.lines(lines), &reader, connection).await?;
            continue;
        }
        if !request.follow {
            return Ok(connection.send(&Response::End).await?);
        }
        select! {
            changed = view.changed() => changed.map_err(|_| Stopping)?,
            step = next(&mut steps) => if let Some(line) = step.and_then(|job| wanted.step(&job)) {
                send(vec![line], &reader, connection).await?;
            },
            request = connection.receive::<Request>() => {
                if request?.is_none() {
                    return Ok(());
                }
                let message = "no other request is accepted on a connection that follows events";
                return Err(ErrorBody::new(Code::BAD_MESSAGE, message).into());
            }
        }
    }
}

/// A reader at the place that was asked for.
async fn begin(view: &EventsView, request: &EventsRequest) -> Result<Reader, Unanswered> {
    let (view, since) = (view.clone(), request.since.clone());
    if since.is_none() && request.follow {
        return Ok(view.now());
    }
    blocking(move || match since {
        Some(Since::Cursor(cursor)) => view.behind(&cursor),
        Some(Since::Time(time)) => Ok(view.since(time)?),
        None => {
            let yesterday = SystemTime::now().checked_sub(RECENT);
            let yesterday = yesterday.map_or_else(Timestamp::now, Timestamp::from);
            Ok(view.since(yesterday)?)
        }
    })
    .await
}

async fn read(mut reader: Reader) -> Result<(Reader, Vec<Line>), Unanswered> {
    blocking(move || {
        let lines = reader.next(LINES)?;
        Ok((reader, lines))
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unread> + Send + 'static,
) -> Result<T, Unanswered> {
    match task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Unanswered::from),
        Err(panic) => Err(io::Error::other(panic).into()),
    }
}

async fn send(lines: Vec<String>, reader: &Reader, connection: &mut Connection) -> io::Result<()> {
    let cursor = reader.cursor();
    connection.send(&Response::Events { lines, cursor }).await
}

/// A job that has changed; never, where nobody asks for steps.
async fn next(steps: &mut Option<broadcast::Receiver<Arc<Job>>>) -> Option<Arc<Job>> {
    match steps {
        None => std::future::pending().await,
        Some(changes) => match changes.recv().await {
            Ok(job) => Some(job),
            // Steps are not kept.
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => std::future::pending().await,
        },
    }
}

/// What a client wants to know.
#[derive(Debug)]
struct Wanted {
    types: Vec<EventType>,
    /// `None`: of all, and what is not about a job.
    jobs: Option<BTreeSet<JobId>>,
}

impl Wanted {
    async fn of(service: &Service, request: &EventsRequest) -> Result<Self, Unanswered> {
        let jobs = if request.jobs.is_empty() {
            None
        } else {
            let jobs = request.jobs.clone();
            let jobs = selected(service, &SelectRequest { jobs }).await?;
            Some(jobs.iter().map(|job| job.id).collect())
        };
        Ok(Self {
            types: request.types.clone(),
            jobs,
        })
    }

    fn steps(&self) -> bool {
        self.types.contains(&EventType::Progress)
    }

    fn lines(&self, lines: Vec<Line>) -> Vec<String> {
        let wanted = lines.into_iter().filter(|line| self.wants(&line.event));
        wanted.map(|line| line.text).collect()
    }

    fn step(&self, job: &Job) -> Option<String> {
        let event = Event::of_step(job).filter(|event| self.wants(event))?;
        Some(serde_json::to_string(&event).expect("an event is plain data with string keys"))
    }

    fn wants(&self, event: &Event) -> bool {
        let is_job =
            |jobs: &BTreeSet<JobId>| event.facts.job.is_some_and(|job| jobs.contains(&job));
        (self.types.is_empty() || self.types.contains(&event.kind))
            && self.jobs.as_ref().is_none_or(is_job)
    }
}

impl From<Unread> for Unanswered {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Gone(_) | Unread::Foreign(_) => {
                ErrorBody::new(Code::EVENTS_GONE, unread.to_string()).into()
            }
            Unread::Io(_) => ErrorBody::new(Code::UNREADABLE_FILE, unread.to_string()).into(),
        }
    }
}
