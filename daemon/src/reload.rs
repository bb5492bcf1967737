//! `reload` and SIGHUP: the configuration is read again while the daemon runs.
//!
//! It is read to its end, and the users in it are looked up, before anything is changed: all of it is taken over, as far as
//! that is possible without a restart, or nothing.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use framepack_config::Loaded;
use framepack_ipc::{ErrorBody, control::Note, reload::Reloaded};
use framepack_jobs::{
    Code,
    settings::{Applies, SettingChange},
};
use tokio::{
    signal::unix::Signal,
    sync::{Mutex as AsyncMutex, watch},
    task::spawn_blocking,
    time::timeout,
};
use tracing::{error, info, warn};

use crate::{
    config_source::ConfigSource, notify::Notify, roles::Roles, running::RunningConfig,
    start_error::StartError,
};

/// Less than clients wait for an answer. Only a share or a directory service takes so long.
const PATIENCE: Duration = Duration::from_secs(20);
const HINT: &str =
    "correct it and run `framepackctl reload`; until then the daemon goes on with what it has";

/// The owner of the configuration that runs; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reloader(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    source: ConfigSource,
    config: watch::Sender<Arc<Loaded>>,
    roles: watch::Sender<Arc<Roles>>,
    notify: Notify,
    /// Held by the reload that is under way.
    turn: AsyncMutex<()>,
    /// Why the last one changed nothing.
    failed: Mutex<Option<Note>>,
}

impl Reloader {
    /// Begins with what the daemon was started with.
    pub(crate) fn new(
        source: ConfigSource,
        started_with: Loaded,
        roles: Arc<Roles>,
        notify: &Notify,
    ) -> (Self, RunningConfig) {
        let (config, running) = RunningConfig::begin(started_with);
        let shared = Shared {
            source,
            config,
            roles: watch::channel(roles).0,
            notify: notify.clone(),
            turn: AsyncMutex::default(),
            failed: Mutex::default(),
        };
        (Self(Arc::new(shared)), running)
    }

    /// Who may do what, as it is now.
    pub(crate) fn roles(&self) -> Arc<Roles> {
        Arc::clone(&self.0.roles.borrow())
    }

    /// That the configuration as it is written now can't be used, for users.
    pub(crate) fn note(&self) -> Option<Note> {
        let failed = self.0.failed.lock();
        failed.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the configuration again with each signal.
    pub(crate) async fn follow(self, mut hangups: Signal) {
        while hangups.recv().await.is_some() {
            // It is logged, and in `ping`.
            let _ = self.reload().await;
        }
    }

    /// Reads the configuration again, and takes over what can be.
    pub(crate) async fn reload(&self) -> Result<Reloaded, ErrorBody> {
        let _turn = self.0.turn.lock().await;
        self.0.notify.reloading();
        let read = self.read().await;
        let reloaded = read.map(|(read, roles)| self.take_over(read, roles));
        self.0.notify.ready();
        let note = match &reloaded {
            Ok(reloaded) => {
                log(reloaded);
                None
            }
            Err(refused) => {
                let (code, message) = (&refused.code, &refused.message);
                error!(%code, "the configuration is not taken over: {message}");
                let why = code.behind(message);
                let status = format!("the configuration is not taken over: {why}");
                self.0.notify.status(&status);
                Some(Note {
                    code: code.clone(),
                    message: format!(
                        "the configuration as it is written now can't be used: {message}"
                    ),
                    hint: refused.hint.clone(),
                })
            }
        };
        *self.0.failed.lock().unwrap_or_else(PoisonError::into_inner) = note;
        reloaded
    }

    /// The configuration as it is written now, with the users and groups in it.
    async fn read(&self) -> Result<(Loaded, Roles), ErrorBody> {
        let source = self.0.source.clone();
        let read = spawn_blocking(move || {
            let loaded = source.read()?;
            let roles = Roles::resolve(&loaded.config.socket)?;
            Ok::<_, StartError>((loaded, roles))
        });
        let read = match timeout(PATIENCE, read).await {
            Ok(Ok(read)) => read.map_err(ErrorBody::from),
            Ok(Err(panic)) => Err(ErrorBody::new(Code::INTERNAL, panic.to_string())),
            Err(_) => {
                let (file, secs) = (self.0.source.file(), PATIENCE.as_secs());
                let message = format!("reading {} takes more than {secs} s", file.display());
                Err(ErrorBody::new(Code::CONFIG_UNREADABLE, message))
            }
        };
        read.map_err(|error| error.hint(HINT))
    }

    fn take_over(&self, read: Loaded, roles: Roles) -> Reloaded {
        let (runs, changes) = self.0.config.borrow().reloaded(read);
        let notices = runs.notices.clone();
        self.0.roles.send_replace(Arc::new(roles));
        self.0.config.send_replace(Arc::new(runs));
        Reloaded {
            file: self.0.source.file(),
            changes,
            notices,
        }
    }
}

fn log(reloaded: &Reloaded) {
    let Reloaded {
        file,
        changes,
        notices,
    } = reloaded;
    for notice in notices {
        warn!("{notice}");
    }
    let needs_restart = |change: &&SettingChange| change.applies == Applies::Restart;
    let waiting = changes.iter().filter(needs_restart).count();
    let taken_over = changes.len() - waiting;
    info!(file = %file.display(), taken_over, waiting, "the configuration was read again");
    for change in changes {
        match change.applies {
            Applies::Restart => warn!("needs a restart: {change}"),
            applies => info!("{change} ({applies})"),
        }
    }
}
