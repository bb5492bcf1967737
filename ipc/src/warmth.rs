//! What workers without a job hold in memory, and what users want of it. Part of [`crate::control`].

use framepack_jobs::Failure;
use serde::{Deserialize, Serialize};

use crate::worker::Temperature;

/// Load models before the first job needs them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WarmUpRequest {
    /// `cpu` or `cuda:N`; `None`: all devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The profile of the jobs to come; `None`: the farm's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What else they set, as `model=f1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
}

/// Give up memory at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnloadRequest {
    /// `cpu` or `cuda:N`; `None`: all devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// How much of it at most.
    pub to: Temperature,
    /// Only until the device has so much free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_free_bytes: Option<u64>,
}

/// What became of one device's memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarmthChange {
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// What was done.
    pub outcome: WarmthOutcome,
    /// What its worker holds now.
    pub temperature: Option<Temperature>,
    /// What is free of the device's memory now; `None`: not known.
    pub free_bytes: Option<u64>,
    /// What became free of it by this.
    pub freed_bytes: Option<u64>,
    /// What its worker gave back of the host's memory.
    pub freed_host_bytes: Option<u64>,
    /// How long it took.
    pub secs: f64,
    /// Why it is so, where that is not plain.
    pub remark: Option<String>,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// What was done about one device's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmthOutcome {
    /// The models are loaded.
    Loaded,
    /// Memory was given up.
    Freed,
    /// The same, and less is free than was asked for.
    Short,
    /// There was nothing to do.
    Unchanged,
    /// Its worker has a job: it was left alone.
    Busy,
    /// It has no worker at the moment.
    Absent,
    /// It could not be done.
    Failed,
    /// An outcome of a later version.
    #[serde(other)]
    Unknown,
}

impl WarmthChange {
    /// Top-level keys of its JSON.
    pub const FIELDS: [&str; 9] = [
        "device",
        "outcome",
        "temperature",
        "free_bytes",
        "freed_bytes",
        "freed_host_bytes",
        "secs",
        "remark",
        "failure",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        control::Request,
        worker::{ToWorker, WorkerInfo},
    };

    #[test]
    fn requests_look_like_this_on_the_wire() {
        let unload = Request::Unload(UnloadRequest {
            device: None,
            to: Temperature::Warm,
            until_free_bytes: Some(7),
        });
        for (request, json) in [
            (Request::Reload, r#"{"type":"reload"}"#),
            (
                Request::WarmUp(WarmUpRequest::default()),
                r#"{"type":"warm_up"}"#,
            ),
            (
                unload,
                r#"{"type":"unload","to":"warm","until_free_bytes":7}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&request).unwrap(), json);
            assert_eq!(serde_json::from_str::<Request>(json).unwrap(), request);
        }
    }

    #[test]
    fn workers_of_an_earlier_version_understand_a_cool_and_can_not_warm() {
        let cool = ToWorker::Cool {
            to: Temperature::Cold,
            ask: None,
        };
        let json = r#"{"type":"cool","to":"cold"}"#;
        assert_eq!(serde_json::to_string(&cool).unwrap(), json);
        let ready = r#"{"protocol":4,"version":"0","device":"cpu","device_name":"a","device_total_bytes":1}"#;
        let info: WorkerInfo = serde_json::from_str(ready).unwrap();
        assert!(!info.can_warm);
    }
}
