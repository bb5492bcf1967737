//! The peak of a job of which parts are measured on their own.

use tch::Device;

use super::counts::{allocator_stats, reset_peak};

/// The most that torch's allocator has reserved on a device since a job began.
#[derive(Debug)]
pub(crate) struct JobPeak {
    device: Device,
    /// Before the part that is counted now.
    earlier_bytes: u64,
}

impl JobPeak {
    /// Of a job that begins now.
    pub(crate) fn begin(device: Device) -> Self {
        reset_peak(device);
        Self {
            device,
            earlier_bytes: 0,
        }
    }

    /// Begins a part: the allocator's own peaks count from here on.
    pub(crate) fn begin_part(&mut self) {
        let before = allocator_stats(self.device).map(|stats| stats.peak_reserved_bytes);
        self.earlier_bytes = self.with(before).unwrap_or(self.earlier_bytes);
        reset_peak(self.device);
    }

    /// Of the whole job; `None` on the CPU.
    pub(crate) fn reserved_bytes(&self) -> Option<u64> {
        self.with(allocator_stats(self.device).map(|stats| stats.peak_reserved_bytes))
    }

    /// With the peak of the part.
    fn with(&self, part_bytes: Option<u64>) -> Option<u64> {
        part_bytes.map(|bytes| bytes.max(self.earlier_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_part_is_the_jobs_peak() {
        let mut peak = JobPeak::begin(Device::Cpu);
        for (part, whole) in [(Some(3), Some(3)), (Some(5), Some(5)), (Some(4), Some(5))] {
            assert_eq!(peak.with(part), whole);
            peak.earlier_bytes = peak.with(part).unwrap();
        }
        assert_eq!(peak.with(None), None);
    }
}
