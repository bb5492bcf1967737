//! Faults of the farm that the next job would meet, too: no job is to be spent on them.

use super::{Code, Fault};

/// Whom such a fault keeps from working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Jobs that need the same model.
    Model,
    /// The device on which it was met.
    Device,
}

impl Code {
    /// Whom a fault with this code keeps from working, if the next job would meet it, too. Others have their own ways:
    /// a job that lacks memory or disk space waits or is retried by itself, and a device that fails again and again is
    /// disabled.
    pub fn outage(self) -> Option<Reach> {
        if MODEL.contains(&self) {
            Some(Reach::Model)
        } else if DEVICE.contains(&self) {
            Some(Reach::Device)
        } else {
            None
        }
    }
}

/// The models.
const MODEL: [Code; 18] = [
    Code::WEIGHTS_MISSING,
    Code::WEIGHTS_PICKLE,
    Code::WEIGHTS_UNREADABLE,
    Code::WEIGHTS_MALFORMED,
    Code::WEIGHTS_TRUNCATED,
    Code::WEIGHTS_INDEX,
    Code::TENSOR_MISSING,
    Code::TENSOR_SHAPE,
    Code::TENSOR_TYPE,
    Code::TENSORS_UNUSED,
    Code::MODEL_CONFIG,
    Code::MODEL_INCOMPLETE,
    Code::MODEL_DEFAULTS,
    Code::MODEL_POINTER,
    Code::MODEL_UNFINISHED,
    Code::MODEL_WEB_PAGE,
    Code::MODEL_LINK,
    Code::TOKENIZER,
];

/// A device, its driver, or the program that renders on it.
const DEVICE: [Code; 8] = [
    Code::DEVICE_MISSING,
    Code::GPU_DRIVER,
    Code::GPU_GONE,
    Code::ATTENTION_BACKEND,
    Code::WORKER_PROGRAM,
    Code::WORKER_LIBRARY,
    Code::WORKER_BUILD,
    Code::WORKER_START,
];

const _: () = {
    let mut n = 0;
    while n < MODEL.len() {
        assert!(matches!(MODEL[n].fault(), Fault::Farm));
        n += 1;
    }
    n = 0;
    while n < DEVICE.len() {
        assert!(matches!(DEVICE[n].fault(), Fault::Farm));
        n += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Class;

    /// Faults of the farm that a job may fail with and that are handled elsewhere: by retries and waiting (memory, disk,
    /// shares), by disabling the device, or by giving up the one job whose files can't be used.
    const HANDLED_ELSEWHERE: &[&str] = &[
        "FP5001", "FP5002", "FP5010", "FP5011", "FP5014", "FP5015", "FP5016", "FP5018", "FP5020",
        "FP5023", "FP5025", "FP5105", "FP6001", "FP6010", "FP6015", "FP6016", "FP6017", "FP6020",
        "FP7002", "FP7102", "FP7103", "FP7104", "FP7301",
    ];

    #[test]
    fn each_fault_of_the_farm_that_a_job_may_meet_is_decided() {
        for code in Code::all().filter(|code| code.fault() == Fault::Farm) {
            let thousand = &code.as_str()[2..3];
            let may_meet_a_job = matches!(thousand, "3" | "5" | "6" | "7");
            let elsewhere = HANDLED_ELSEWHERE.contains(&code.as_str());
            assert_eq!(
                code.outage().is_some(),
                may_meet_a_job && !elsewhere,
                "{code}: {}",
                code.meaning()
            );
        }
        assert_eq!(Code::MODEL_LINK.outage(), Some(Reach::Model));
        assert_eq!(Code::WORKER_LIBRARY.outage(), Some(Reach::Device));
    }

    #[test]
    fn want_of_memory_and_mistakes_in_jobs_are_none() {
        for code in Code::all() {
            let waits_itself = matches!(code.class(), Class::Oom | Class::Input | Class::Io);
            assert!(!(waits_itself && code.outage().is_some()), "{code}");
        }
    }
}
