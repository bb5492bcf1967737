//! `logs`: what was logged about a job, and what is until it is finished.

use std::{io, time::Duration};

use framepack_ipc::{
    ErrorBody,
    control::{LogsRequest, Request, Response},
};
use framepack_jobs::{Code, JobId};
use tokio::{
    fs::File,
    io::{AsyncBufReadExt, BufReader},
    select,
    time::sleep,
};

use super::{connection::Connection, service::Service, unanswered::Unanswered};

/// Lines in one message.
const LINES: usize = 256;
/// How often a log that grows is looked at.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) async fn log(
    service: &Service,
    request: &LogsRequest,
    connection: &mut Connection,
) -> Result<(), Unanswered> {
    let job = request.job;
    let mut log = Log::default();
    loop {
        // Before the log is read: what is logged of the end comes after it.
        let is_finished = is_finished(service, job).await?;
        loop {
            let lines = log.next(&service.layout.log(job)).await?;
            if lines.is_empty() {
                break;
            }
            connection.send(&Response::Log { lines }).await?;
        }
        if !request.follow || (is_finished && log.is_quiet) {
            return Ok(connection.send(&Response::End).await?);
        }
        // The last lines may still be on their way to the file.
        log.is_quiet = is_finished;
        select! {
            () = sleep(PAUSE) => {}
            request = connection.receive::<Request>() => {
                if request?.is_none() {
                    return Ok(());
                }
                let message = "no other request is accepted on a connection that follows a log";
                return Err(ErrorBody::new(Code::BAD_MESSAGE, message).into());
            }
        }
    }
}

async fn is_finished(service: &Service, job: JobId) -> Result<bool, Unanswered> {
    match service.queue.show(job).await? {
        Some(job) => Ok(job.is_finished()),
        None => Err(ErrorBody::new(Code::NO_SUCH_JOB, format!("no such job: {job}")).into()),
    }
}

/// A log that is being read.
#[derive(Debug, Default)]
struct Log {
    file: Option<BufReader<File>>,
    /// A line whose end was not there yet.
    begun: Vec<u8>,
    /// The job was finished before the log was last read to its end.
    is_quiet: bool,
}

impl Log {
    /// The next whole lines; none at the end, or while there is no file.
    async fn next(&mut self, path: &std::path::Path) -> io::Result<Vec<String>> {
        let file = match &mut self.file {
            Some(file) => file,
            None => match File::open(path).await {
                Ok(file) => self.file.insert(BufReader::new(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            },
        };
        let mut lines = Vec::new();
        while lines.len() < LINES && file.read_until(b'\n', &mut self.begun).await? > 0 {
            if self.begun.last() == Some(&b'\n') {
                let line = String::from_utf8_lossy(&self.begun).trim_end().to_owned();
                self.begun.clear();
                lines.push(line);
            }
        }
        Ok(lines)
    }
}
