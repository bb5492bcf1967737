//! `cancel`, `hold`, `release`, `pause`, `resume`, `priority` and `retry`: what is changed about jobs that are there.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    queue::{Change, ChangeOutcome, ChangeRequest, Changed, Scope},
};
use framepack_jobs::{Job, Reason, Selector, Timestamp};

use crate::{
    daemon::Daemon,
    failure::Failure,
    output::{Output, print_lines},
    rows,
    terminal::{Terminal, cut::escaped, style::Style},
};

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
    let mut of_all: Vec<String> = remark.into_iter().collect();
    if jobs.is_empty() {
        of_all.extend(
            reasons
                .iter()
                .map(|reason| format!("no failed job with {reason}")),
        );
    }
    if output.is_text_for_people() {
        output.warn(&of_all);
        print_lines(&sentences(&jobs, change, &output.terminal))?;
        return Ok(exit);
    }
    let remarks = jobs.iter().filter_map(|changed| {
        let remark = changed.remark.as_ref()?;
        Some(format!("job {} {remark}", changed.job.id))
    });
    let remarks: Vec<String> = remarks.chain(of_all).collect();
    output.warn(&remarks);
    let jobs: Vec<Job> = jobs.into_iter().map(|changed| *changed.job).collect();
    output.jobs(&jobs, remarks)?;
    Ok(exit)
}

/// What has become of each job, for people.
fn sentences(jobs: &[Changed], change: Change, terminal: &Terminal) -> Vec<String> {
    let now = Timestamp::now();
    let mut lines = Vec::new();
    for Changed {
        job,
        outcome,
        remark,
    } in jobs
    {
        let named = rows::named(job, terminal);
        let style = match outcome {
            ChangeOutcome::Refused => Style::Warning,
            _ => Style::Plain,
        };
        lines.extend(match (change, remark) {
            (_, Some(remark)) => vec![format!(
                "{named} {}",
                terminal.paint(style, &escaped(remark))
            )],
            (Change::Priority { priority }, None) => {
                vec![format!("{named} has priority {priority}")]
            }
            (_, None) => rows::told(job, terminal, now),
        });
    }
    lines
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
