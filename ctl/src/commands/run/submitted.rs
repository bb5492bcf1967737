//! `submit --follow`: a job that is followed as by `run`, and told of as by `wait`.

use framepack_ipc::Exit;
use framepack_jobs::Job;

use super::session::{Session, client};
use crate::{
    cli::Submit,
    commands::{submit::read, wait::say_unexpected},
    daemon::Daemon,
    deadline::Deadline,
    failure::Failure,
    follow::Ended,
    output::{Output, remark},
};

pub(crate) fn run(arguments: &Submit, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let request = read(&arguments.file, &arguments.set).map_err(Failure::new)?;
    let session = Session::begin(output)?;
    let deadline = Deadline::after(arguments.timeout);
    let submitted = session.submit(daemon, &request)?;
    let (id, client) = (submitted.job.id, client(daemon));
    match session.follow_shared(daemon, deadline, submitted.job)? {
        Ended::Finished(job) => {
            let jobs = std::slice::from_ref(&*job);
            let unexpected = say_unexpected(jobs, output);
            output.jobs(jobs, [submitted.remarks, unexpected].concat())?;
            Ok(Exit::of_finished([&*job]))
        }
        Ended::Left(job) => {
            remark(&format!(
                "job {id} goes on; its video will be {}; to follow it: {client} wait {id}",
                job.output.display()
            ));
            Ok(Exit::Interrupted)
        }
        Ended::Stopped | Ended::GivenUp => Ok(Exit::Interrupted),
    }
}
