//! `edit`: a job in the user's editor, until what she writes is a job or she gives up.

mod draft;

use std::io;

use framepack_ipc::{
    ErrorEnvelope, Exit,
    client::ClientError,
    control::{Request, Response, SelectRequest},
    edit::{EditRequest, JobFile, JobFileRequest},
};
use framepack_jobs::{Code, Job, JobId, Selector};

use self::draft::Draft;
use super::{edited, many::Named};
use crate::{
    cli::Edit,
    confirm::{Usually, asked},
    daemon::Daemon,
    failure::Failure,
    interrupt::can_ask,
    output::{Format, Output, remark},
};

pub(crate) fn run(Edit { job }: Edit, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let request = Request::JobFile(JobFileRequest { job });
    let Response::JobFile(file) = daemon.ask(&request)? else {
        return Err(ClientError::Unexpected.into());
    };
    let draft = Draft::of(&file)?;
    match change(&file, &draft, daemon) {
        Ok(None) => unchanged(file.job, daemon, output),
        Ok(Some(answer)) => tell(answer, output),
        Err(failure) => {
            if draft.is_written(&file.yaml) {
                remark(&format!("what was written is kept in {}", draft.keep()?));
            }
            Err(failure)
        }
    }
}

/// Has the file edited until the daemon takes it. `None`: it is as it was.
fn change(file: &JobFile, draft: &Draft, daemon: &Daemon) -> Result<Option<Response>, Failure> {
    let mut refused: Option<(String, Box<ErrorEnvelope>)> = None;
    loop {
        draft.edit()?;
        let yaml = draft.text()?;
        match refused.take() {
            // Nothing more is written: that is how one gives up in an editor.
            Some((before, why)) if before == yaml => return Err(Failure::Error(why)),
            None if yaml == file.yaml => return Ok(None),
            _ => {}
        }
        let request = Request::Edit(EditRequest {
            job: file.job,
            was: file.yaml.clone(),
            yaml: yaml.clone(),
        });
        match daemon.ask(&request) {
            Ok(answer) => return Ok(Some(answer)),
            Err(ClientError::Refused(why)) if is_mistake(&why) && can_ask() => {
                // Nobody may see it; the question shows that.
                let _ = why.tell(&mut io::stderr());
                if !asked("Edit again?", Usually::Yes) {
                    return Err(Failure::Error(why));
                }
                refused = Some((yaml, why));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether another text may be taken.
fn is_mistake(why: &ErrorEnvelope) -> bool {
    let of_the_job = [
        Code::CHANGED_MEANWHILE,
        Code::NOT_CHANGEABLE,
        Code::NO_SUCH_JOB,
        Code::NOT_PERMITTED,
        Code::SHUTTING_DOWN,
    ];
    of_the_job.iter().all(|code| why.error.code != *code)
}

/// Says that the job is as it was.
fn unchanged(job: JobId, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    let remarks = vec![format!("job {job} is unchanged")];
    output.warn(&remarks);
    if output.format != Format::Text {
        let jobs = vec![Selector::Id(job)];
        let jobs = daemon.jobs(&Request::Show(SelectRequest { jobs }))?;
        output.records_beside("JobList", &jobs, remarks, &edited::as_it_was(job))?;
    }
    Ok(Exit::Ok)
}

fn tell(answer: Response, output: &Output) -> Result<Exit, Failure> {
    edited::tell(edited::jobs(answer)?, &Named::new(Vec::new()), output)
}
