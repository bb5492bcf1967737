//! `cancel`, `hold`, `release`, `pause`, `resume` and `priority`: changes of jobs that are there.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    queue::{Change, ChangeOutcome, ChangeRequest, Changed, Scope},
};
use framepack_jobs::{Job, Reason, Selector, Timestamp};

use super::many::{Loss, Named, worst};
use crate::{
    cli::Cancel,
    daemon::Daemon,
    failure::Failure,
    output::{Output, print_as_is},
    rows,
    terminal::{Terminal, cut::escaped, style::Style},
};

pub(crate) fn cancel(arguments: Cancel, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let change = arguments.change();
    let consent = arguments.yes.consent();
    let named = Named::new(arguments.jobs.jobs).agreed(Loss::Runs, consent, daemon)?;
    run_named(named, change, daemon, output)
}

pub(crate) fn run(
    scope: Scope,
    change: Change,
    daemon: &Daemon,
    output: &Output,
) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    match scope {
        Scope::Jobs(selectors) => run_named(Named::new(selectors), change, daemon, output),
        scope => {
            let request = Request::Change(ChangeRequest { scope, change });
            tell(daemon.ask(&request)?, change, Vec::new(), output)
        }
    }
}

/// Changes jobs, each by itself.
pub(super) fn run_named(
    mut named: Named,
    change: Change,
    daemon: &Daemon,
    output: &Output,
) -> Result<Exit, Failure> {
    let reasons = reasons(named.selectors());
    let answer = named.ask(daemon, |selectors| {
        let scope = Scope::Jobs(selectors);
        Request::Change(ChangeRequest { scope, change })
    })?;
    let is_none = matches!(&answer, Response::Changed { jobs, .. } if jobs.is_empty());
    let unfailed = reasons
        .iter()
        .filter(|_| is_none)
        .map(|reason| format!("no failed job with {reason}"));
    let remarks = named.missing().chain(unfailed).collect();
    let exit = tell(answer, change, remarks, output)?;
    Ok(worst(exit, named.exit()))
}

/// Says what became of the jobs, with more that the user should know.
fn tell(
    answer: Response,
    change: Change,
    more: Vec<String>,
    output: &Output,
) -> Result<Exit, Failure> {
    let Response::Changed { jobs, remark } = answer else {
        return Err(ClientError::Unexpected.into());
    };
    let is_refused = |outcome| outcome == ChangeOutcome::Refused;
    let exit = if jobs.iter().any(|changed| is_refused(changed.outcome)) {
        Exit::Conflict
    } else {
        Exit::Ok
    };
    let of_all: Vec<String> = remark.into_iter().chain(more).collect();
    if output.is_text_for_people() {
        output.warn(&of_all);
        print_as_is(&sentences(&jobs, change, &output.terminal))?;
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

/// Why jobs should have failed that are to be changed.
fn reasons(selectors: &[Selector]) -> Vec<Reason> {
    let reasons = selectors.iter().map(|selector| match selector {
        Selector::Failed(reason) => Some(*reason),
        _ => None,
    });
    reasons.flatten().collect()
}
