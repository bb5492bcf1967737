//! The rules of the jobs folder, each by its number in the description of the watch folder.

mod arrival;
mod bundle;
mod claim;
mod figures;
mod life;
mod names;
mod readonly;
mod report;
mod retention;
mod trouble;
mod waiting;

use std::fs;

use framepack_ipc::control::{DaemonStatus, Request, Response};

use crate::fixture::Farm;

impl Farm {
    /// A farm with these settings of `spool`, and its daemon.
    pub(crate) fn with_spool(settings: &str) -> Self {
        let mut farm = Self::stopped();
        farm.set_spool(settings);
        farm.start();
        farm
    }

    pub(crate) fn set_spool(&self, settings: &str) {
        let usual = "spool: {settle_secs: 0.2, wait_inputs_secs: 0}";
        self.replace_in_config(usual, &format!("spool: {{{settings}}}"));
    }

    /// What the daemon tells of itself.
    pub(crate) fn status(&self) -> DaemonStatus {
        match self.client().call(&Request::Ping).unwrap() {
            Response::Pong(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// `STATUS.txt`, empty before the daemon has written it.
    pub(crate) fn status_txt(&self) -> String {
        fs::read_to_string(self.path("jobs/STATUS.txt")).unwrap_or_default()
    }

    /// Waits until `STATUS.txt` says this.
    #[track_caller]
    pub(crate) fn wait_for_status(&self, part: &str) {
        self.wait_until(&format!("{part:?} in STATUS.txt"), |farm| {
            farm.status_txt().contains(part).then_some(())
        });
    }
}
