//! `run`: one job from its files to its video, in the daemon that is there or in one of its own.

mod own;
mod request;
mod session;
mod shared;
mod submitted;

use std::io;

use framepack_ipc::{ErrorBody, Exit, client::ClientError};
use framepack_jobs::Job;

use self::session::Session;
pub(crate) use self::submitted::run as run_submitted;
use crate::{
    cli::Run,
    daemon::{Choice, Daemon},
    delivery::{Existing, Target},
    failure::Failure,
    one_off::ModelChoice,
    output::{Output, remark},
};

pub(crate) fn run(arguments: &Run, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let target = arguments.target().map_err(Failure::new)?;
    if let Some(folder) = &arguments.resume {
        let session = Session::begin(output)?;
        return own::resume(&session, folder, target);
    }
    let request = request::of(arguments).map_err(Failure::new)?;
    let models = arguments.models().map_err(Failure::new)?;
    let session = Session::begin(output)?;
    if models == ModelChoice::Environment && is_there(daemon)? {
        return shared::run(&session, daemon, &request, target.as_ref());
    }
    let target = target.map_or_else(Target::here, Ok).map_err(Failure::new)?;
    let own = own::Wanted {
        request,
        models,
        target: &target,
    };
    own::run(&session, &own)
}

impl Run {
    fn models(&self) -> Result<ModelChoice, ErrorBody> {
        let Some(bundle) = &self.models else {
            return Ok(ModelChoice::Environment);
        };
        let folder = bundle.folder()?;
        Ok(folder.map_or(ModelChoice::Cache, ModelChoice::Folder))
    }

    fn target(&self) -> Result<Option<Target>, ErrorBody> {
        let existing = if self.force {
            Existing::Replace
        } else {
            Existing::Keep
        };
        let target = self.output.as_ref();
        target.map(|path| Target::new(path, existing)).transpose()
    }
}

/// Whether a daemon answers there. One that may not be used is one; one that was named has to answer.
fn is_there(daemon: &Daemon) -> Result<bool, Failure> {
    match daemon.connect() {
        Ok(_) => Ok(true),
        Err(ClientError::Unreachable { error, .. })
            if error.kind() != io::ErrorKind::PermissionDenied
                && daemon.choice == Choice::Default =>
        {
            let socket = daemon.socket.display();
            remark(&format!(
                "no daemon answers at {socket}: one is started for this job"
            ));
            Ok(false)
        }
        Err(error) => Err(match Failure::from(error) {
            Failure::Error(mut envelope) if daemon.choice == Choice::Named => {
                let hint = "start framepackd there; or, for a daemon that is started for this job, leave out \
                            `--socket`, unset FRAMEPACKD_SOCKET, or name the models with `--models`";
                envelope.error.hint = Some(hint.to_owned());
                Failure::Error(envelope)
            }
            failure => failure,
        }),
    }
}
