//! `config`: the settings that the daemon runs with. `framepackd config` reads them without a daemon.

use framepack_ipc::{
    ErrorBody, Exit,
    client::ClientError,
    control::{Request, Response},
};
use framepack_jobs::settings::{described, select};

use crate::{
    cli::Config,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines},
};

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
        Format::Text => {
            let lines: Vec<String> = settings
                .iter()
                .map(|setting| {
                    if origin {
                        setting.with_origin()
                    } else {
                        setting.with_state()
                    }
                })
                .collect();
            print_lines(&lines)?;
        }
        Format::Json | Format::Fields(_) => output.records("Config", &settings, Vec::new())?,
    }
    Ok(Exit::Ok)
}
