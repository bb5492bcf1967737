//! `queue`: the order in which jobs will run, with reasons.

use std::io;

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    queue::QueueEntry,
};

use framepack_jobs::Timestamp;
use serde_json::Map;

use crate::{
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, tab_separated},
    rows,
};

pub(crate) fn run(daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&QueueEntry::FIELDS)?;
    let Response::Queue(queue) = daemon.ask(&Request::Queue)? else {
        return Err(ClientError::Unexpected.into());
    };
    let mut beside = Map::new();
    if !queue.outages.is_empty() {
        let outages = serde_json::to_value(&queue.outages).map_err(io::Error::from)?;
        beside.insert("outages".to_owned(), outages);
    }
    if let Some(drains) = &queue.drains {
        let drains = serde_json::to_value(drains).map_err(io::Error::from)?;
        beside.insert("drains".to_owned(), drains);
    }
    let mut remarks = Vec::new();
    remarks.extend(
        queue
            .paused
            .map(|reason| format!("no job starts: {reason}")),
    );
    let waits = queue.outages.iter();
    remarks.extend(waits.map(|outage| rows::outage(outage, output.wording())));
    let groups = queue.paused_groups.iter();
    remarks.extend(groups.map(|group| format!("no job of group {group} starts: it is paused")));
    output.warn(&remarks);
    match output.format {
        Format::Text => output.text(
            |terminal| {
                let now = Timestamp::now();
                let table = rows::table_of_queue(&queue.jobs, terminal, now);
                let drains = queue.drains.iter().map(rows::drains);
                output.lines_of(&table).into_iter().chain(drains).collect()
            },
            || tab_separated(&rows::of_queue(&queue.jobs)),
        )?,
        Format::Json | Format::Fields(_) => {
            output.records_beside("Queue", &queue.jobs, remarks, &beside)?;
        }
    }
    Ok(Exit::Ok)
}
