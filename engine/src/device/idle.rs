//! How long a device waits for the host between pieces of work, by the device's own clock.

use tch::Device;

use super::stream::{Event, Stream};

/// The device's work in order, each piece with its begin and its end on torch's stream.
#[derive(Debug)]
pub(crate) struct WorkClock {
    /// `None` on the CPU, which takes no times.
    stream: Option<Stream>,
    pieces: Vec<[Event; 2]>,
}

/// What a [`WorkClock`] saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Idle {
    /// Between the end of each piece and the begin of the next.
    pub(crate) idle_secs: f64,
    /// From the begin of the first piece to the end of the last.
    pub(crate) total_secs: f64,
}

impl WorkClock {
    /// A clock of what this thread gives to `device`.
    pub(crate) fn new(device: Device) -> Self {
        Self {
            stream: Stream::current(device),
            pieces: Vec::new(),
        }
    }

    /// Runs `work`, which gives the device something to do. The host need not wait for it.
    ///
    /// A piece begins when the device has done all that it was given before, so what `work` has to wait for
    /// itself counts as its own: copies to the device belong in front of it.
    pub(crate) fn piece<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begin = self.stream.as_ref().map(Event::record_timed);
        let result = work();
        if let (Some(begin), Some(stream)) = (begin, &self.stream) {
            self.pieces.push([begin, Event::record_timed(stream)]);
        }
        result
    }

    /// What was seen so far, once the device has done it; `None` on the CPU.
    pub(crate) fn idle(&self) -> Option<Idle> {
        let ([first, _], [_, last]) = (self.pieces.first()?, self.pieces.last()?);
        last.synchronize();
        let gaps = self.pieces.windows(2);
        Some(Idle {
            idle_secs: gaps.map(|pair| pair[0][1].elapsed_secs(&pair[1][0])).sum(),
            total_secs: first.elapsed_secs(last),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_runs_the_work_and_takes_no_times() {
        let mut clock = WorkClock::new(Device::Cpu);
        assert_eq!(clock.piece(|| 7), 7);
        assert_eq!(clock.idle(), None);
    }
}
