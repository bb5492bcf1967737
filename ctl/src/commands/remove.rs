//! `rm`: jobs that have ended leave the list.

use framepack_ipc::{
    Exit,
    control::Request,
    edit::{Edited, RemoveRequest, Videos},
    queue::ChangeOutcome,
};
use framepack_jobs::Job;

use super::{
    edited,
    many::{Loss, Named},
};
use crate::{
    cli::Remove,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, Table},
};

pub(crate) fn run(arguments: Remove, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let (loss, videos) = if arguments.video {
        (Loss::Videos, Videos::Remove)
    } else {
        (Loss::Records, Videos::Keep)
    };
    let named = Named::new(arguments.jobs.jobs);
    let mut named = named.agreed(loss, arguments.yes.consent(), daemon)?;
    let answer = named.ask(daemon, |jobs| {
        Request::Remove(RemoveRequest { jobs, videos })
    })?;
    let jobs = edited::jobs(answer)?;
    let remarks = edited::remarks(&jobs, &named);
    let exit = edited::exit(&jobs, &named);
    output.warn(&remarks);
    match output.format {
        Format::Text => output.table(&rows(&jobs, videos))?,
        Format::Json | Format::Fields(_) => {
            let outcomes = edited::outcomes(&jobs, "removed");
            let jobs: Vec<Job> = jobs.into_iter().map(|edited| *edited.changed.job).collect();
            output.records_beside("JobList", &jobs, remarks, &outcomes)?;
        }
    }
    Ok(exit)
}

/// Jobs, one a row; the last cell is the video that stays.
fn rows(jobs: &[Edited], videos: Videos) -> Table<4> {
    let row = |Edited { changed, .. }: &Edited| {
        let is_removed = changed.outcome == ChangeOutcome::Changed;
        let state = if is_removed {
            "removed"
        } else {
            changed.job.state.name().as_str()
        };
        let stays = !is_removed || videos == Videos::Keep;
        let video = changed.job.state.result().filter(|_| stays);
        let video = video.map(|result| result.video.display().to_string());
        let id = changed.job.id.to_string();
        [
            id,
            state.to_owned(),
            changed.job.name.clone(),
            video.unwrap_or_default(),
        ]
    };
    Table {
        header: ["ID", "STATE", "NAME", "VIDEO"],
        rows: jobs.iter().map(row).collect(),
    }
}
