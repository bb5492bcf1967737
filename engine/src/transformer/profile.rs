//! Where the time of a forward goes: what each of its parts takes, by the device's clock.

use std::{cell::RefCell, time::Instant};

use tch::Device;

use crate::device::{Event, Stream};

/// A part of a forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Norms with their modulation, and gated sums.
    Norm,
    /// Products to queries, keys and values.
    Qkv,
    /// Norm and rotation of queries and keys.
    Rope,
    /// Attention.
    Attention,
    /// Products behind the attention.
    Projections,
    /// Feed-forwards.
    Mlp,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Norm,
        Self::Qkv,
        Self::Rope,
        Self::Attention,
        Self::Projections,
        Self::Mlp,
    ];

    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Norm => "norm",
            Self::Qkv => "qkv",
            Self::Rope => "rope",
            Self::Attention => "attention",
            Self::Projections => "projections",
            Self::Mlp => "mlp",
        }
    }
}

/// What was measured of one forward or several.
#[derive(Debug)]
pub struct Profile {
    /// That the work is given to; `None` on the CPU, where it is done when its function returns.
    stream: Option<Stream>,
    spans: RefCell<Vec<(Part, Span)>>,
}

#[derive(Debug)]
enum Span {
    Device(Event, Event),
    Host(f64),
}

impl Profile {
    /// Nothing measured yet, of work on `device`.
    pub fn new(device: Device) -> Self {
        Self {
            stream: Stream::current(device),
            spans: RefCell::default(),
        }
    }

    /// Does `work`, which is of `part`.
    pub(super) fn time<T>(&self, part: Part, work: impl FnOnce() -> T) -> T {
        let (result, span) = if let Some(stream) = &self.stream {
            let start = Event::record_timed(stream);
            let result = work();
            let end = Event::record_timed(stream);
            (result, Span::Device(start, end))
        } else {
            let start = Instant::now();
            let result = work();
            (result, Span::Host(start.elapsed().as_secs_f64()))
        };
        self.spans.borrow_mut().push((part, span));
        result
    }

    /// Seconds of all that was measured of a part, once the device is done with it.
    ///
    /// # Panics
    /// With torch's message if the device failed.
    pub fn secs(&self, part: Part) -> f64 {
        let spans = self.spans.borrow();
        let of_part = spans.iter().filter(|(of, _)| *of == part);
        let secs = of_part.map(|(_, span)| match span {
            Span::Device(start, end) => {
                end.synchronize();
                start.elapsed_secs(end)
            }
            Span::Host(secs) => *secs,
        });
        secs.fold(0.0, |sum, secs| sum + secs)
    }
}
