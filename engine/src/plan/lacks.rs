//! What a device can't do of the settings, whatever the job: known before the first one.

use framepack_jobs::{
    Row, Settings, Value,
    settings::{
        ATTENTION, BACKEND, CUDA_ALLOC_CONF, Consequence, HOST_BUDGET_GB, Kind as RowKind,
        LOAD_CHUNK_MB, Lack, Lacks, MEM_EFFICIENT_SDP, OFFLOAD, PRESERVE_GB,
    },
};
use tch::{Device, Kind};

use crate::{
    error::Error,
    job::Job,
    nn::attention::{AttentionMode, Class, ON_A_PROCESSOR, Resolved, lacking},
};

/// Why no memory setting acts on a processor.
pub(crate) const NO_DEVICE: &str = "a processor computes with weights in the machine's own memory: nothing is kept free, \
    page-locked or offloaded";
const NO_ALLOCATOR: &str = "on a processor torch's allocator for device memory is not used";
const NO_KERNEL: &str = "on a processor there is no memory-efficient kernel";

/// What means nothing on a processor.
static MOOT: [(&Row, &str); 8] = [
    (&ATTENTION, ON_A_PROCESSOR),
    (&PRESERVE_GB, NO_DEVICE),
    (&HOST_BUDGET_GB, NO_DEVICE),
    (&LOAD_CHUNK_MB, NO_DEVICE),
    (&OFFLOAD, NO_DEVICE),
    (&BACKEND, NO_DEVICE),
    (&MEM_EFFICIENT_SDP, NO_KERNEL),
    (&CUDA_ALLOC_CONF, NO_ALLOCATOR),
];

/// A head and its channels that each kernel takes, so that only a kernel that the device lacks is missing.
const ANY_HEAD: [i64; 2] = [1, 64];

/// What `device` lacks for jobs that compute in `kind`.
pub(crate) fn lacks(device: Device, kind: Kind) -> Result<Vec<Lack>, Error> {
    if !device.is_cuda() {
        return Ok(of_a_processor());
    }
    let class = Class::new(kind, ANY_HEAD, 1);
    let mut lacks = Vec::new();
    for mode in [AttentionMode::Standard, AttentionMode::Aggressive] {
        if let Some(reason) = lacking(mode, device, &class)? {
            lacks.push(Lack {
                key: ATTENTION.key.to_owned(),
                value: Some(mode.as_str().into()),
                reason,
                consequence: Consequence::Refused,
            });
        }
    }
    Ok(lacks)
}

/// What a job's attention comes to, unless it is refused: it asks itself for what the device lacks.
pub(crate) fn unless_refused(
    job: &Job,
    mode: AttentionMode,
    resolved: Resolved,
) -> Result<Resolved, Error> {
    match &resolved.lack {
        Some(lack) if job.asks_itself(&ATTENTION) => {
            Err(Error::not_possible(&ATTENTION, mode, lack))
        }
        _ => Ok(resolved),
    }
}

/// Of a job's settings, what means nothing on `device`, each with the reason.
pub(super) fn moot_settings(device: Device, settings: &Settings) -> Vec<String> {
    if device.is_cuda() {
        return Vec::new();
    }
    let lacks = Lacks::from(of_a_processor());
    // What becomes of the attention is foreseen by itself.
    let rows = MOOT.into_iter().filter(|(row, _)| *row != &ATTENTION);
    let inactive = rows.filter_map(|(row, _)| {
        let value = settings.get(row)?;
        let reason = lacks.reason(row, value)?;
        Some(format!("{}: inactive: {reason} ({value})", row.key))
    });
    inactive.collect()
}

/// A default that names a way of doing things is as moot as the other ways.
fn of_a_processor() -> Vec<Lack> {
    let defaults = MOOT.iter().filter_map(|(row, reason)| {
        let value = row.default_value()?;
        let names_a_way = matches!(row.kind, RowKind::Word { .. }) && value.text() != Some("auto");
        names_a_way.then(|| moot(row, Some(value), reason))
    });
    let others = MOOT.iter().map(|(row, reason)| moot(row, None, reason));
    others.chain(defaults).collect()
}

fn moot(row: &Row, value: Option<Value>, reason: &str) -> Lack {
    Lack {
        key: row.key.to_owned(),
        value,
        reason: reason.to_owned(),
        consequence: Consequence::Moot,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use framepack_jobs::Model;

    use super::*;
    use crate::{job::usual_request, nn::attention::Backend};

    #[test]
    fn a_lack_is_refused_to_the_job_that_asks_itself_and_to_no_other() {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/bundle");
        let mut request = usual_request(Path::new(fixtures), None, Model::Original);
        let lacking = Resolved {
            lack: Some("no memory-efficient; no flash".into()),
            reason: Some("no memory-efficient; no flash: torch's own choice was used".into()),
            ..Backend::Torch.into()
        };
        let partly = Resolved {
            reason: Some("no memory-efficient".into()),
            ..Backend::Flash.into()
        };
        for (own, resolved, is_refused) in [
            (&[][..], &lacking, false),
            (&["memory.offload"], &lacking, false),
            (&["attention"], &partly, false),
            (&["attention"], &lacking, true),
        ] {
            request.own = own.iter().map(ToString::to_string).collect();
            let job = Job::with_blank_picture(&request).unwrap();
            let found = unless_refused(&job, AttentionMode::Standard, resolved.clone());
            if !is_refused {
                assert_eq!(found.unwrap(), *resolved);
                continue;
            }
            let error = found.unwrap_err();
            let expected =
                "attention: standard is not possible here: no memory-efficient; no flash";
            assert_eq!(error.to_string(), expected);
            assert_eq!(error.failure().code, "FP2105");
            assert!(!error.is_fatal());
        }
    }

    #[test]
    fn on_a_processor_what_is_of_cards_means_nothing_and_refuses_nothing() {
        let lacks = Lacks::from(lacks(Device::Cpu, Kind::Float).unwrap());
        for (row, value, is_moot) in [
            (&ATTENTION, Value::from("standard"), true),
            (&ATTENTION, "auto".into(), false),
            (&PRESERVE_GB, Value::Integer(8), true),
            (&LOAD_CHUNK_MB, Value::Integer(256), false),
            (&LOAD_CHUNK_MB, Value::Integer(64), true),
            (&BACKEND, "v1".into(), true),
            (&BACKEND, "v2".into(), true),
            (&OFFLOAD, "normal".into(), true),
            (&PRESERVE_GB, "auto".into(), false),
            (&MEM_EFFICIENT_SDP, "off".into(), true),
            (&framepack_jobs::settings::FLASH_SDP, "off".into(), false),
            (
                &framepack_jobs::settings::VAE_CHUNK,
                Value::Integer(2),
                false,
            ),
        ] {
            let reason = lacks.reason(row, &value);
            assert_eq!(reason.is_some(), is_moot, "{}: {reason:?}", row.key);
            assert_eq!(lacks.refuses(row, &value), None);
        }
    }
}
