//! `config`: the settings that the daemon runs with. `framepackd config` reads them without a daemon.

use framepack_ipc::{
    ErrorBody, Exit,
    client::ClientError,
    control::{Request, Response},
};
use framepack_jobs::settings::{Setting, described, select};

use crate::{
    cli::Config,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines},
    terminal::{
        style::Style,
        table::{Cell, Column, Table},
    },
};

const COLUMNS: [Column; 4] = [
    Column::text("SETTING"),
    Column::text("VALUE").wrapped_to(16),
    Column::text("ORIGIN").rank(1),
    Column::text("NOTE").wrapped_to(16).rank(2),
];
const FIELDS: [&str; 4] = ["key", "value", "origin", "inactive"];

pub(crate) fn run(action: Config, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    let Config::Show {
        origin,
        profile,
        key,
    } = action;
    if let Some(name) = profile {
        // Built-in ones need no daemon.
        let settings = match daemon.ask(&Request::Config) {
            Ok(Response::Config { settings }) => settings,
            _ => Vec::new(),
        };
        let text = described(&name, &settings).map_err(|error| Failure::new(error.into()))?;
        print_lines(&[text.trim_end().to_owned()])?;
        return Ok(Exit::Ok);
    }
    output.check_fields(&FIELDS)?;
    let Response::Config { settings } = daemon.ask(&Request::Config)? else {
        return Err(ClientError::Unexpected.into());
    };
    let unknown = |unknown| Failure::new(ErrorBody::from(unknown));
    let settings = select(settings, key.as_deref()).map_err(unknown)?;
    match output.format {
        Format::Text => output.text(
            |_| output.lines_of(&table(&settings, origin)),
            || {
                let line = if origin {
                    Setting::with_origin
                } else {
                    Setting::with_state
                };
                settings.iter().map(line).collect()
            },
        )?,
        Format::Json | Format::Fields(_) => output.records("Config", &settings, Vec::new())?,
    }
    Ok(Exit::Ok)
}

/// The settings for people; with where they come from, if `has_origins`.
fn table(settings: &[Setting], has_origins: bool) -> Table {
    let mut table = Table::new(COLUMNS);
    for setting in settings {
        let value = match &setting.value {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let origin = has_origins.then(|| setting.origin.to_string());
        let inactive = setting.inactive.as_ref();
        let inactive = inactive.map(|why| format!("inactive: {why}"));
        table.push([
            Cell::new(&setting.key, Style::Strong),
            value.into(),
            Cell::new(origin.unwrap_or_default(), Style::Dim),
            Cell::new(inactive.unwrap_or_default(), Style::Warning),
        ]);
    }
    table
}
