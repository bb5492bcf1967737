//! What a device does and how long it waits for the host in between, by the device's own clock.

use tch::Device;

use super::stream::{Event, Stream};

/// What a device is given to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    Sampling,
    Decoding,
}

/// The device's work, each piece with its begin and its end on the stream that it was given to.
#[derive(Debug)]
pub(crate) struct WorkClock {
    device: Device,
    /// Empty on the CPU, which takes no times.
    pieces: Vec<(Activity, [Event; 2])>,
}

/// What a [`WorkClock`] saw.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_field_names, reason = "they are in seconds")]
pub(crate) struct Idle {
    /// While there was nothing to do.
    pub(crate) idle_secs: f64,
    /// While it decoded and did nothing else.
    pub(crate) decoding_alone_secs: f64,
    /// While it decoded and sampled.
    pub(crate) hidden_secs: f64,
    /// From the begin of the first piece to the end of the last.
    pub(crate) total_secs: f64,
}

impl WorkClock {
    /// A clock of what this thread gives to `device`.
    pub(crate) fn new(device: Device) -> Self {
        Self {
            device,
            pieces: Vec::new(),
        }
    }

    /// Runs `work`, which gives the current stream something to do. The host need not wait for it.
    ///
    /// A piece begins when the stream has done all that it was given before, so what `work` has to wait for
    /// itself counts as its own: copies to the device belong in front of it.
    pub(crate) fn piece<T>(&mut self, activity: Activity, work: impl FnOnce() -> T) -> T {
        let stream = Stream::current(self.device);
        let begin = stream.as_ref().map(Event::record_timed);
        let result = work();
        if let (Some(begin), Some(stream)) = (begin, &stream) {
            self.pieces
                .push((activity, [begin, Event::record_timed(stream)]));
        }
        result
    }

    /// What was seen so far, once the device has done it; `None` on the CPU.
    pub(crate) fn idle(&self) -> Option<Idle> {
        for (_, [_, end]) in &self.pieces {
            end.synchronize();
        }
        let (_, [first, _]) = self.pieces.first()?;
        let pieces = self.pieces.iter().map(|(activity, events)| {
            let [begin_secs, end_secs] = events.each_ref().map(|event| first.elapsed_secs(event));
            Piece {
                activity: *activity,
                begin_secs,
                end_secs,
            }
        });
        Some(Idle::of(&pieces.collect::<Vec<_>>()))
    }
}

/// When something was done.
#[derive(Debug, Clone, Copy)]
struct Piece {
    activity: Activity,
    begin_secs: f64,
    end_secs: f64,
}

impl Idle {
    /// Of pieces of which at least one is there.
    fn of(pieces: &[Piece]) -> Self {
        let mut moments: Vec<f64> = pieces
            .iter()
            .flat_map(|piece| [piece.begin_secs, piece.end_secs])
            .collect();
        moments.sort_by(f64::total_cmp);
        let mut idle = Self {
            idle_secs: 0.0,
            decoding_alone_secs: 0.0,
            hidden_secs: 0.0,
            total_secs: moments[moments.len() - 1] - moments[0],
        };
        for pair in moments.windows(2) {
            let [from, to] = [pair[0], pair[1]];
            let is_done = |activity| {
                pieces.iter().any(|piece| {
                    piece.activity == activity && piece.begin_secs <= from && to <= piece.end_secs
                })
            };
            match (is_done(Activity::Sampling), is_done(Activity::Decoding)) {
                (false, false) => idle.idle_secs += to - from,
                (false, true) => idle.decoding_alone_secs += to - from,
                (true, true) => idle.hidden_secs += to - from,
                (true, false) => {}
            }
        }
        idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_runs_the_work_and_takes_no_times() {
        let mut clock = WorkClock::new(Device::Cpu);
        assert_eq!(clock.piece(Activity::Decoding, || 7), 7);
        assert_eq!(clock.idle(), None);
    }

    #[test]
    fn every_second_is_of_one_sort() {
        use Activity::{Decoding, Sampling};
        let idle = |pieces: &[(Activity, f64, f64)]| {
            let pieces = pieces.iter().map(|(activity, begin_secs, end_secs)| Piece {
                activity: *activity,
                begin_secs: *begin_secs,
                end_secs: *end_secs,
            });
            Idle::of(&pieces.collect::<Vec<_>>())
        };
        let one_after_the_other = [
            (Sampling, 0.0, 10.0),
            (Decoding, 10.5, 13.0),
            (Sampling, 13.25, 23.25),
            (Decoding, 23.5, 26.0),
        ];
        assert_eq!(
            idle(&one_after_the_other),
            Idle {
                idle_secs: 1.0,
                decoding_alone_secs: 5.0,
                hidden_secs: 0.0,
                total_secs: 26.0,
            }
        );
        // The first is decoded beside the second's sampling, begun before it.
        let beside = [
            (Sampling, 0.0, 10.0),
            (Decoding, 10.5, 14.0),
            (Sampling, 11.0, 22.0),
            (Decoding, 22.0, 24.5),
        ];
        assert_eq!(
            idle(&beside),
            Idle {
                idle_secs: 0.5,
                decoding_alone_secs: 3.0,
                hidden_secs: 3.0,
                total_secs: 24.5,
            }
        );
        let one = idle(&[(Sampling, 2.0, 3.0)]);
        assert_eq!((one.idle_secs, one.total_secs), (0.0, 1.0));
    }
}
