//! What ran out of memory, in words for whoever runs the farm: what was asked for, who has the rest, what was given up.

use std::fmt;

use framepack_jobs::Bytes;

/// Memory that ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryKind {
    /// The device's.
    Device,
    /// The machine's.
    Host,
}

/// What is known of an allocation that failed. What is not known is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// Which memory.
    pub memory: MemoryKind,
    /// What was being done.
    pub doing: Option<String>,
    /// What was asked for.
    pub asked_bytes: Option<u64>,
    /// What nobody used.
    pub free_bytes: Option<u64>,
    /// All that there is.
    pub total_bytes: Option<u64>,
    /// What this worker had.
    pub held_bytes: Option<u64>,
    /// Of that, weights of blocks.
    pub weights_bytes: Option<u64>,
    /// Of that, all tensors: weights and what is computed from them.
    pub tensors_bytes: Option<u64>,
    /// Of that, what torch kept for tensors to come.
    pub unused_bytes: Option<u64>,
    /// What was given up before, one after the other; `None` where nothing could be.
    pub given_up: Option<Vec<String>>,
    /// What else is known, for instance which library asked.
    pub detail: Option<String>,
}

impl Shortage {
    /// A shortage of which nothing else is known yet.
    pub fn of(memory: MemoryKind) -> Self {
        Self {
            memory,
            doing: None,
            asked_bytes: None,
            free_bytes: None,
            total_bytes: None,
            held_bytes: None,
            weights_bytes: None,
            tensors_bytes: None,
            unused_bytes: None,
            given_up: None,
            detail: None,
        }
    }

    /// So much host memory was asked for, and the system refused it.
    pub(crate) fn of_host(asked_bytes: usize, purpose: &str, reason: &std::io::Error) -> Self {
        Self {
            asked_bytes: Some(asked_bytes as u64),
            detail: Some(format!("for {purpose}: {reason}")),
            ..Self::of(MemoryKind::Host)
        }
    }

    /// What programs other than this worker, and the driver itself, have of the device.
    fn foreign_bytes(&self) -> Option<u64> {
        let ours = self.free_bytes? + self.held_bytes?;
        Some(self.total_bytes?.saturating_sub(ours))
    }

    /// `12.20 GiB of weights, 7.90 GiB of activations and other tensors, 0.40 GiB unused`
    fn held_parts(&self) -> String {
        let rest_bytes = match (self.tensors_bytes, self.weights_bytes) {
            (Some(tensors), Some(weights)) => Some(tensors.saturating_sub(weights)),
            (tensors, _) => tensors,
        };
        let rest = match self.weights_bytes {
            Some(1..) => "activations and other tensors",
            _ => "weights and activations",
        };
        let parts = [
            (self.weights_bytes, "weights"),
            (rest_bytes, rest),
            (self.unused_bytes, "reserve that torch keeps"),
        ];
        let told = parts.into_iter().filter_map(|(bytes, what)| {
            let bytes = bytes.filter(|bytes| *bytes > 0)?;
            Some(format!("{} of {what}", Bytes(bytes)))
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.memory {
            MemoryKind::Device => "out of device memory",
            MemoryKind::Host => "out of host memory",
        })?;
        if let Some(doing) = &self.doing {
            write!(f, " while {doing}")?;
        }
        let mut facts = Vec::new();
        if let Some(asked) = self.asked_bytes {
            facts.push(format!("{} were asked for", Bytes(asked)));
        }
        facts.extend(self.detail.clone());
        match (self.free_bytes, self.total_bytes) {
            (Some(free), Some(total)) => {
                facts.push(format!("{} of {} were free", Bytes(free), Bytes(total)));
            }
            (Some(free), None) => facts.push(format!("{} were free", Bytes(free))),
            (None, Some(total)) => facts.push(format!("there are {}", Bytes(total))),
            (None, None) => {}
        }
        let parts = self.held_parts();
        match (self.held_bytes, parts.as_str()) {
            (Some(held), "") => facts.push(format!("this worker had {}", Bytes(held))),
            (Some(held), parts) => {
                facts.push(format!("this worker had {} ({parts})", Bytes(held)));
            }
            (None, "") => {}
            (None, parts) => facts.push(format!("this worker had {parts}")),
        }
        if let Some(foreign) = self.foreign_bytes() {
            facts.push(format!(
                "other programs and the driver had {}",
                Bytes(foreign)
            ));
        }
        match self.given_up.as_deref() {
            None => {}
            Some([]) => facts.push("nothing was left to give up".to_owned()),
            Some(given_up) => facts.push(format!("given up before: {}", given_up.join(", "))),
        }
        if !facts.is_empty() {
            write!(f, ": {}", facts.join("; "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn what_is_known_is_told_and_what_is_not_is_left_out() {
        assert_eq!(
            Shortage::of(MemoryKind::Device).to_string(),
            "out of device memory"
        );
        let known = Shortage {
            doing: Some("sampling section 2".to_owned()),
            asked_bytes: Some(3 * GIB),
            free_bytes: Some(GIB),
            total_bytes: Some(24 * GIB),
            held_bytes: Some(20 * GIB),
            weights_bytes: Some(12 * GIB),
            tensors_bytes: Some(18 * GIB),
            unused_bytes: Some(GIB),
            given_up: Some(vec![
                "vae tiles".to_owned(),
                "every block streamed".to_owned(),
            ]),
            ..Shortage::of(MemoryKind::Device)
        };
        assert_eq!(
            known.to_string(),
            "out of device memory while sampling section 2: 3.00 GiB were asked for; 1.00 GiB of 24.00 GiB were free; \
             this worker had 20.00 GiB (12.00 GiB of weights, 6.00 GiB of activations and other tensors, 1.00 GiB of \
             reserve that torch keeps); other programs and the driver had 3.00 GiB; given up before: vae tiles, every \
             block streamed"
        );
        let refused = std::io::Error::from(std::io::ErrorKind::OutOfMemory);
        assert_eq!(
            Shortage::of_host(1 << 30, "a block's weights", &refused).to_string(),
            "out of host memory: 1.00 GiB were asked for; for a block's weights: out of memory"
        );
    }
}
