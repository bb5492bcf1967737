//! Copies from the host, from memory that is page-locked and memory that is not.

use std::time::Instant;

use tch::{Device, Kind, Tensor};

use super::finding::Finding;
use crate::device::{
    host::HostBuffer,
    stream::{Event, Stream},
};

const BYTES: usize = 256 << 20;

/// Page-locked memory is copied while the host goes on.
pub(super) fn page_locked(device: Device) -> Finding {
    let Some(stream) = Stream::new(device) else {
        return Ok(None);
    };
    let mut buffer = HostBuffer::new(BYTES).map_err(|error| error.to_string())?;
    for (index, byte) in buffer.as_mut_slice().iter_mut().enumerate() {
        *byte = (index % 251) as u8;
    }
    let pageable = Copy::fastest(&stream, &buffer, device)?;
    buffer.page_lock(device)?;
    let locked = Copy::fastest(&stream, &buffer, device)?;
    if locked.host_secs > locked.device_secs / 2.0 {
        return Err(format!(
            "the host waited {:.1} ms for a copy of {:.1} ms",
            locked.host_secs * 1e3,
            locked.device_secs * 1e3
        ));
    }
    Ok(Some(format!(
        "{:.1} GB/s, pageable {:.1} GB/s",
        locked.gb_per_sec(),
        pageable.gb_per_sec()
    )))
}

/// How long a copy of [`BYTES`] took.
#[derive(Debug)]
struct Copy {
    /// On the device.
    device_secs: f64,
    /// Until the host could go on.
    host_secs: f64,
}

impl Copy {
    /// The fastest of three, each checked for its result.
    fn fastest(stream: &Stream, from: &HostBuffer, device: Device) -> Result<Self, String> {
        let mut fastest: Option<Self> = None;
        for _ in 0..3 {
            let copy = Self::measure(stream, from, device)?;
            if fastest
                .as_ref()
                .is_none_or(|best| copy.device_secs < best.device_secs)
            {
                fastest = Some(copy);
            }
        }
        Ok(fastest.expect("three were made"))
    }

    fn measure(stream: &Stream, from: &HostBuffer, device: Device) -> Result<Self, String> {
        let from = from.tensor(0, BYTES);
        let to = Tensor::zeros([BYTES as i64], (Kind::Uint8, device));
        if let Some(current) = Stream::current(device) {
            stream.wait(&Event::record(&current));
        }
        stream.synchronize();

        let begin = Event::record_timed(stream);
        let start = Instant::now();
        stream.copy(&from, &to);
        let host_secs = start.elapsed().as_secs_f64();
        let end = Event::record_timed(stream);
        end.synchronize();
        if to.to_device(Device::Cpu) != *from {
            return Err("the bytes were changed on the way".into());
        }
        Ok(Self {
            device_secs: begin.elapsed_secs(&end),
            host_secs,
        })
    }

    fn gb_per_sec(&self) -> f64 {
        BYTES as f64 / self.device_secs / 1e9
    }
}
