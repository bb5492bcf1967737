//! What a device waits for while its worker can't start, and the wait.

use std::time::Duration;

use framepack_ipc::control::Outage;
use framepack_jobs::{Code, Failure};
use tokio::{
    select,
    time::{sleep, sleep_until},
};
use tracing::{error, info};

use super::{
    clue::{Clue, Needs},
    questions::Questions,
    switch::Switch,
};
use crate::{
    nvidia::Nvidia,
    outage::{LastingFault, News, Pauses},
    queue::Stopping,
    shutdown::Shutdown,
};

/// Before a worker is started again.
const PAUSES: Pauses = Pauses {
    first: Duration::from_secs(1),
    longest: Duration::from_mins(1),
};
/// Time between two looks at what a worker needs.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// Why one device's worker can't start, where the farm is at fault.
#[derive(Debug)]
pub(super) struct DeviceOutage {
    device: String,
    /// Why a GPU that is missing is waited for, where nobody has said so.
    insists: Option<String>,
    /// The last one, until the device has rendered a job: its pauses go on if it is met again before.
    fault: Option<LastingFault>,
    /// Whether it lasts.
    lasts: bool,
}

/// What ends a wait before its time.
#[derive(Debug)]
pub(super) struct Interrupts<'a> {
    /// What was there when the worker did not start.
    pub(super) before: Option<Clue>,
    pub(super) needs: &'a Needs,
    pub(super) switch: &'a Switch,
    pub(super) questions: &'a mut Questions,
    pub(super) shutdown: &'a mut Shutdown,
}

impl DeviceOutage {
    pub(super) fn new(device: String, insists: Option<String>) -> Self {
        Self {
            device,
            insists,
            fault: None,
            lasts: false,
        }
    }

    /// Its worker met this. Returns what is told of it.
    pub(super) fn met(&mut self, failure: Failure) -> Failure {
        let failure = self.explained(failure);
        let news = if let Some(fault) = &mut self.fault {
            if !self.lasts {
                fault.begin_again();
            }
            fault.met(failure.clone())
        } else {
            self.fault = Some(LastingFault::first_met(failure.clone(), PAUSES));
            News::New
        };
        if news == News::New || !self.lasts {
            let (device, hint) = (&self.device, failure.hint.as_deref().unwrap_or_default());
            error!(device, code = %failure.code, "jobs wait until this is mended: {} ({hint})", failure.message);
        }
        self.lasts = true;
        failure
    }

    /// A GPU that is missing is mostly a matter of its driver.
    fn explained(&self, failure: Failure) -> Failure {
        if failure.code != Code::DEVICE_MISSING {
            return failure;
        }
        let explained = Nvidia::look().explain(&self.device);
        let failure = explained.unwrap_or(failure);
        match &self.insists {
            Some(why) => Failure {
                message: format!("{}; {why}", failure.message),
                ..failure
            },
            None => failure,
        }
    }

    /// For people, while it lasts.
    pub(super) fn told(&self, trying: bool) -> Option<Box<Outage>> {
        let fault = self.fault.as_ref().filter(|_| self.lasts)?;
        Some(Box::new(Outage {
            devices: vec![self.device.clone()],
            ..fault.told(trying)
        }))
    }

    /// The worker has started.
    pub(super) fn started(&mut self) {
        if let Some(fault) = self.fault.as_ref().filter(|_| self.lasts) {
            let failure = fault.failure();
            info!(device = self.device, code = %failure.code, "mended: {}", failure.message);
        }
        self.lasts = false;
    }

    /// Something else keeps the device from working now.
    pub(super) fn is_over(&mut self) {
        self.lasts = false;
    }

    /// The device has rendered a job, or a user says that it can.
    pub(super) fn forget(&mut self) {
        self.fault = None;
        self.lasts = false;
    }

    /// Waits until it may be mended: for a while, or until what a worker needs is other than before, or a user wants it
    /// tried.
    pub(super) async fn wait(&self, interrupts: Interrupts<'_>) -> Result<(), Stopping> {
        let Some(fault) = &self.fault else {
            return Ok(());
        };
        let Interrupts {
            before,
            needs,
            switch,
            questions,
            shutdown,
        } = interrupts;
        let again = fault.due().into();
        loop {
            select! {
                () = sleep_until(again) => return Ok(()),
                () = sleep(LOOK_PAUSE) => {
                    let now = needs.look().await;
                    if now.is_some() && now != before {
                        return Ok(());
                    }
                }
                () = switch.enabled() => return Ok(()),
                _ = questions.next() => questions.give_up(),
                () = shutdown.requested() => return Err(Stopping),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_comes_back_before_a_job_was_rendered_has_its_pauses_and_a_new_beginning() {
        let mut outage = DeviceOutage::new("cpu".to_owned(), None);
        assert_eq!(outage.told(false), None);
        let failure = Failure::new(Code::WORKER_PROGRAM, "gone");
        outage.met(failure.clone());
        let first = outage.told(false).unwrap();
        assert_eq!(first.devices, ["cpu"]);
        outage.met(failure.clone());
        let second = outage.told(false).unwrap();
        assert_eq!(second.since, first.since);
        let trying = outage.told(true).unwrap();
        assert_eq!((trying.next_try, trying.trying), (None, true));

        outage.started();
        assert_eq!(outage.told(false), None);
        outage.met(failure.clone());
        let third = outage.told(false).unwrap();
        assert!(third.since > first.since);
        assert!(
            third.next_try.unwrap().secs_since(third.since) > 3.0,
            "{third:?}"
        );

        outage.forget();
        outage.met(failure);
        let fourth = outage.told(false).unwrap();
        assert!(
            fourth.next_try.unwrap().secs_since(fourth.since) < 2.0,
            "{fourth:?}"
        );
    }
}
