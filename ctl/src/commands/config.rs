//! `config`: the settings that the daemon runs with. `framepackd config` reads them without a daemon.

use framepack_ipc::{
    ErrorBody, Exit,
    client::ClientError,
    control::{Request, Response},
};
use framepack_jobs::settings::select;

use crate::{
    cli::Config,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines},
};

const FIELDS: [&str; 3] = ["key", "value", "origin"];

pub(crate) fn run(action: Config, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    let Config::Show { origin, key } = action;
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
                        format!("{setting}  # {}", setting.origin)
                    } else {
                        setting.to_string()
                    }
                })
                .collect();
            print_lines(&lines)?;
        }
        Format::Json | Format::Fields(_) => output.records("Config", &settings, Vec::new())?,
    }
    Ok(Exit::Ok)
}
