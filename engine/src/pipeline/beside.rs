//! Where a section is decoded: where all else is computed, or beside the sampling of the next section.
//!
//! Torch's allocator counts a tensor as used by the stream that it was made on. So what decoding makes is made and used on
//! its own stream alone, and weights that it reads stay where they are until the stream has been waited for.

use tch::Device;

use crate::device::{self, Event, Stream};

/// The stream of decoding, as long as it has one of its own.
#[derive(Debug)]
pub(super) struct DecodeStream {
    device: Device,
    way: Way,
}

/// How sections are decoded. Once they are decoded by themselves they stay so: what was made of them is on the stream of
/// all else.
#[derive(Debug)]
enum Way {
    Undecided,
    /// Beside the next one's sampling; on the CPU, which has no streams, before it.
    Beside(Option<Stream>),
    Alone,
}

impl DecodeStream {
    /// Nothing is decoded yet.
    pub(super) fn new(device: Device) -> Self {
        Self {
            device,
            way: Way::Undecided,
        }
    }

    /// Before the first section. Gives the device `rehearsal` if another stream than all else's decodes from now on: CUDA loads
    /// a kernel when it is first launched, and its streams wait for each other then.
    pub(super) fn decide(&mut self, is_planned: bool, rehearsal: impl FnOnce()) {
        if !matches!(self.way, Way::Undecided) {
            return;
        }
        self.way = if is_planned {
            Way::Beside(Stream::new(self.device))
        } else {
            Way::Alone
        };
        if self.stream().is_some() {
            device::empty_cache(); // what decoding left for the stream of all else is of no use to this one
            rehearsal();
        }
    }

    /// Whether sections are decoded beside the next one's sampling.
    pub(super) fn is_beside(&self) -> bool {
        matches!(self.way, Way::Beside(_))
    }

    fn stream(&self) -> Option<&Stream> {
        match &self.way {
            Way::Beside(stream) => stream.as_ref(),
            Way::Undecided | Way::Alone => None,
        }
    }

    /// Gives `work` to the stream, behind all that this thread has given to the device so far.
    pub(super) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        match (self.stream(), Stream::current(self.device)) {
            (Some(stream), Some(current)) => {
                stream.wait(&Event::record(&current));
                stream.scope(work)
            }
            _ => work(),
        }
    }

    /// Waits until all that was decoded is. What it read may leave the device then.
    pub(super) fn synchronize(&self) {
        if let Some(stream) = self.stream() {
            stream.synchronize();
        }
    }

    /// Decodes where all else is computed from now on. What was made on the stream has left the device.
    pub(super) fn end(&mut self) {
        self.synchronize();
        self.way = Way::Alone;
    }
}

impl Drop for DecodeStream {
    /// Whoever has the models next may drop them.
    fn drop(&mut self) {
        if let Some(stream) = self.stream() {
            stream.finish();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decoded_by_itself_stays_so() {
        let mut decoding = DecodeStream::new(Device::Cpu);
        assert!(!decoding.is_beside());
        let nothing = || unreachable!("the CPU has one stream");
        decoding.decide(true, nothing);
        decoding.decide(false, nothing);
        assert!(decoding.is_beside() && decoding.stream().is_none());
        assert_eq!(decoding.run(|| 7), 7);
        decoding.end();
        decoding.decide(true, nothing);
        assert!(!decoding.is_beside());
        let mut alone = DecodeStream::new(Device::Cpu);
        alone.decide(false, nothing);
        alone.decide(true, nothing);
        assert!(!alone.is_beside());
    }
}
