//! `cancel`, `hold`, `release`, `pause`, `resume`, `priority` and `retry`: what is changed about jobs that are there.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    queue::{Change, ChangeOutcome, ChangeRequest, Scope},
};
use framepack_jobs::{Job, Reason, Selector};

use crate::{daemon::Daemon, failure::Failure, output::Output};

pub(crate) fn run(
    scope: Scope,
    change: Change,
    daemon: &Daemon,
    output: &Output,
) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let reasons = reasons(&scope);
    let request = Request::Change(ChangeRequest { scope, change });
    let Response::Changed { jobs, remark } = daemon.ask(&request)? else {
        return Err(ClientError::Unexpected.into());
    };
    let is_refused = |outcome| outcome == ChangeOutcome::Refused;
    let exit = if jobs.iter().any(|changed| is_refused(changed.outcome)) {
        Exit::Conflict
    } else {
        Exit::Ok
    };
    let mut remarks: Vec<String> = jobs
        .iter()
        .filter_map(|changed| {
            let remark = changed.remark.as_ref()?;
            Some(format!("job {} {remark}", changed.job.id))
        })
        .collect();
    remarks.extend(remark);
    if jobs.is_empty() {
        remarks.extend(
            reasons
                .iter()
                .map(|reason| format!("no failed job with {reason}")),
        );
    }
    output.warn(&remarks);
    let jobs: Vec<Job> = jobs.into_iter().map(|changed| *changed.job).collect();
    output.jobs(&jobs, remarks)?;
    Ok(exit)
}

/// Why jobs should have failed that are to be changed, where the user names nothing else.
fn reasons(scope: &Scope) -> Vec<Reason> {
    let Scope::Jobs(selectors) = scope else {
        return Vec::new();
    };
    let reasons = selectors.iter().map(|selector| match selector {
        Selector::Failed(reason) => Some(*reason),
        _ => None,
    });
    reasons.flatten().collect()
}
