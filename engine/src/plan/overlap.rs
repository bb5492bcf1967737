//! Whether a section is decoded while the next one is sampled.

use std::fmt;

use framepack_jobs::{Bytes, Offloading};
use tch::Device;

use super::{budget::Budget, relief::Relief};
use crate::{job::Job, settings::VaeOverlap};

/// What the libraries hold for a second stream.
const STREAM_BYTES: u64 = 64 << 20;

/// Why each section is decoded by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoOverlap {
    /// `vae.overlap: off`.
    Off,
    Processor,
    OneSection,
    /// `memory.offload: aggressive`.
    Offloading,
    /// Memory ran out before.
    Relief,
    /// So much more would be needed.
    Memory {
        lacking_bytes: u64,
    },
}

/// What speaks against it, however much memory there is.
pub(super) fn wanted(job: &Job, device: Device, relief: Relief) -> Result<(), NoOverlap> {
    let Relief {
        has_spatial_tiles,
        chunk,
        room_bytes,
        residents,
        drops_step_cache: _,
        host_halvings: _,
    } = relief;
    let given_up = Relief {
        has_spatial_tiles,
        chunk,
        room_bytes,
        residents,
        ..Relief::default()
    };
    if job.settings.overlap == VaeOverlap::Off {
        Err(NoOverlap::Off)
    } else if !device.is_cuda() {
        Err(NoOverlap::Processor)
    } else if job.sampling.sections.sections.len() < 2 {
        Err(NoOverlap::OneSection)
    } else if job.settings.memory.offloading == Offloading::Aggressive {
        Err(NoOverlap::Offloading)
    } else if given_up != Relief::default() {
        Err(NoOverlap::Relief)
    } else {
        Ok(())
    }
}

/// Whether there is memory for both at once.
pub(super) fn fits(
    sampling_bytes: u64,
    decoding_bytes: u64,
    budget: &Budget,
) -> Result<(), NoOverlap> {
    let needed_bytes = sampling_bytes + decoding_bytes + STREAM_BYTES;
    match needed_bytes.saturating_sub(budget.usable_bytes()) {
        0 => Ok(()),
        lacking_bytes => Err(NoOverlap::Memory { lacking_bytes }),
    }
}

impl fmt::Display for NoOverlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "`vae.overlap` is off",
            Self::Processor => "on a processor decoding and sampling share the cores",
            Self::OneSection => "there is no second section",
            Self::Offloading => "with `memory.offload: aggressive` weights leave the device before",
            Self::Relief => "memory ran out before",
            Self::Memory { lacking_bytes } => {
                return write!(f, "{} more memory would be needed", Bytes(*lacking_bytes));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use framepack_jobs::{Model, Value, settings};

    use super::*;
    use crate::{job::usual_request, plan::relief::ChunkRelief};

    /// A job with this setting, so many seconds long.
    fn job(setting: Option<(&str, &str)>, length_secs: f64) -> Job {
        let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/bundle");
        let mut request = usual_request(Path::new(bundle), None, Model::Original);
        request.length_secs = length_secs;
        if let Some((key, value)) = setting {
            request.settings.set(key, Value::from(value));
        }
        Job::with_blank_picture(&request).unwrap()
    }

    #[test]
    fn what_speaks_against_it_is_named() {
        let (cuda, cpu) = (Device::Cuda(0), Device::Cpu);
        let nothing = Relief::default();
        let tiles = Relief {
            has_spatial_tiles: true,
            ..nothing
        };
        let chunk = Relief {
            chunk: ChunkRelief::One,
            ..nothing
        };
        let no_cache = Relief {
            drops_step_cache: true,
            host_halvings: 2,
            ..nothing
        };
        let off = Some((settings::VAE_OVERLAP.key, "off"));
        let auto = Some((settings::VAE_OVERLAP.key, "auto"));
        let offload = Some((settings::OFFLOAD.key, "aggressive"));
        for (setting, secs, device, relief, expected) in [
            (None, 9.0, cuda, nothing, Ok(())),
            (auto, 9.0, cuda, no_cache, Ok(())),
            (off, 9.0, cuda, nothing, Err(NoOverlap::Off)),
            (None, 9.0, cpu, nothing, Err(NoOverlap::Processor)),
            (None, 0.1, cuda, nothing, Err(NoOverlap::OneSection)),
            (offload, 9.0, cuda, nothing, Err(NoOverlap::Offloading)),
            (None, 9.0, cuda, tiles, Err(NoOverlap::Relief)),
            (None, 9.0, cuda, chunk, Err(NoOverlap::Relief)),
        ] {
            let found = wanted(&job(setting, secs), device, relief);
            assert_eq!(found, expected, "{setting:?} {secs} {device:?} {relief:?}");
        }
    }

    #[test]
    fn both_have_to_fit_at_once() {
        let budget = Budget {
            free_bytes: 30 << 30,
            context_bytes: 1 << 30,
            ..Budget::default()
        };
        let usable = budget.usable_bytes();
        let decoding = (20 << 30) - STREAM_BYTES;
        assert_eq!(fits(usable - (20 << 30), decoding, &budget), Ok(()));
        let short = fits(usable - (20 << 30) + (1 << 30), decoding, &budget).unwrap_err();
        assert_eq!(short.to_string(), "1.00 GiB more memory would be needed");
    }
}
