//! `reload`: the daemon reads its configuration again.

use std::io;

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    reload::Reloaded,
};
use framepack_jobs::settings::{Applies, SettingChange};
use serde_json::{Map, Value};

use crate::{
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, Table, remark},
};

pub(crate) fn run(daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&SettingChange::FIELDS)?;
    let Response::Reloaded(reloaded) = daemon.ask(&Request::Reload)? else {
        return Err(ClientError::Unexpected.into());
    };
    let Reloaded {
        file,
        mut changes,
        notices,
    } = reloaded;
    // What was taken over first.
    changes.sort_by_key(|change| change.applies == Applies::Restart);
    let waiting = changes
        .iter()
        .filter(|change| change.applies == Applies::Restart)
        .count();
    let mut warnings = notices;
    warnings.extend((waiting > 0).then(|| {
        format!("{waiting} of the changed settings count only once the daemon is started again")
    }));
    output.warn(&warnings);
    match output.format {
        Format::Text => {
            if changes.is_empty() {
                remark(&format!("no setting of {} has changed", file.display()));
            }
            output.table(&table(&changes))?;
        }
        Format::Json | Format::Fields(_) => {
            let file = serde_json::to_value(&file).map_err(io::Error::from)?;
            let beside = Map::from_iter([("file".to_owned(), file)]);
            output.records_beside("Reload", &changes, warnings, &beside)?;
        }
    }
    Ok(Exit::Ok)
}

/// A change a row.
fn table(changes: &[SettingChange]) -> Table<4> {
    let rows = changes.iter().map(|change| {
        [
            change.applies.to_string(),
            change.key.clone(),
            shown(&change.old),
            shown(&change.new),
        ]
    });
    Table {
        header: ["APPLIES", "KEY", "OLD", "NEW"],
        rows: rows.collect(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
