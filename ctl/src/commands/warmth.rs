//! `warmup` and `unload`: what workers without a job hold in memory.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    warmth::{UnloadRequest, WarmUpRequest, WarmthChange, WarmthOutcome},
};
use framepack_jobs::Bytes;

use crate::{
    cli::{Unload, WarmUp},
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines, remark},
    rows::temperature,
};

pub(crate) fn warm_up(
    arguments: WarmUp,
    daemon: &Daemon,
    output: &Output,
) -> Result<Exit, Failure> {
    let WarmUp {
        profile,
        set,
        device,
    } = arguments;
    let is_named = device.is_some();
    let request = Request::WarmUp(WarmUpRequest {
        device,
        profile,
        set,
    });
    change(&request, is_named, daemon, output)
}

pub(crate) fn unload(arguments: Unload, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    let Unload {
        to,
        until_free_gb,
        device,
    } = arguments;
    let is_named = device.is_some();
    let request = Request::Unload(UnloadRequest {
        device,
        to: to.into(),
        until_free_bytes: until_free_gb,
    });
    change(&request, is_named, daemon, output)
}

fn change(
    request: &Request,
    is_named: bool,
    daemon: &Daemon,
    output: &Output,
) -> Result<Exit, Failure> {
    output.check_fields(&WarmthChange::FIELDS)?;
    let mut client = daemon.connect()?;
    // Models take minutes to be loaded.
    client.set_deadline(None);
    let Response::Warmth { devices } = client.call(request)? else {
        return Err(ClientError::Unexpected.into());
    };
    match output.format {
        Format::Text => {
            print_lines(&devices.iter().map(line).collect::<Vec<_>>())?;
            let failures = devices.iter().filter_map(|change| change.failure.as_ref());
            for hint in failures.filter_map(|failure| failure.hint.as_ref()) {
                remark(&format!("hint: {hint}"));
            }
        }
        Format::Json | Format::Fields(_) => {
            output.records("DeviceMemory", &devices, Vec::new())?;
        }
    }
    Ok(exit(&devices, is_named))
}

/// The gravest of what happened. A device that was named and has a job or no worker is a conflict; of all devices, those
/// are left out.
fn exit(devices: &[WarmthChange], is_named: bool) -> Exit {
    let failed = devices.iter().find_map(|change| change.failure.as_ref());
    if let Some(failure) = failed {
        return failure.class.into();
    }
    let is_any = |outcomes: &[WarmthOutcome]| {
        let mut found = devices.iter().map(|change| change.outcome);
        found.any(|outcome| outcomes.contains(&outcome))
    };
    if is_any(&[WarmthOutcome::Failed]) {
        Exit::Failure
    } else if is_any(&[WarmthOutcome::Short]) {
        Exit::NoResource
    } else if is_named && is_any(&[WarmthOutcome::Busy, WarmthOutcome::Absent]) {
        Exit::Conflict
    } else {
        Exit::Ok
    }
}

/// `cuda:0: cold, 16.00 GiB of its memory and 20.00 GiB of the host's were freed; 23.00 GiB are free`
fn line(change: &WarmthChange) -> String {
    let why = || change.remark.clone().unwrap_or_default();
    let what = match change.outcome {
        WarmthOutcome::Loaded => format!("models loaded in {:.1} s{}", change.secs, free(change)),
        WarmthOutcome::Freed => format!("{}{}{}", level(change), freed(change), free(change)),
        WarmthOutcome::Short => format!(
            "{}{}{}, less than asked for: the rest is held by others",
            level(change),
            freed(change),
            free(change)
        ),
        WarmthOutcome::Unchanged => {
            format!("{}, nothing was given up{}", level(change), free(change))
        }
        WarmthOutcome::Busy => format!("left alone: it {}", why()),
        WarmthOutcome::Absent => format!("left alone: {}", why()),
        WarmthOutcome::Failed => match &change.failure {
            Some(failure) => format!("failed: {}", failure.code.behind(&failure.message)),
            None => format!("failed: {}", why()),
        },
        WarmthOutcome::Unknown => "answered in a way this version does not know".to_owned(),
    };
    format!("{}: {what}", change.device)
}

fn level(change: &WarmthChange) -> &'static str {
    change.temperature.map_or("unknown", temperature)
}

fn freed(change: &WarmthChange) -> String {
    // On the CPU both are the same memory, and the system tells of the host's.
    if change.device == "cpu" {
        let freed = change.freed_host_bytes.max(change.freed_bytes);
        return freed.map_or_else(String::new, |freed| {
            format!(", {} were freed", Bytes(freed))
        });
    }
    match (change.freed_bytes, change.freed_host_bytes) {
        (Some(freed), Some(host)) => format!(
            ", {} of its memory and {} of the host's were freed",
            Bytes(freed),
            Bytes(host)
        ),
        (Some(freed), None) => format!(", {} were freed", Bytes(freed)),
        (None, _) => String::new(),
    }
}

fn free(change: &WarmthChange) -> String {
    let free = change.free_bytes;
    free.map_or_else(String::new, |free| format!("; {} are free", Bytes(free)))
}
