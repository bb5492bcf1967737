//! What a job gives up for want of memory, one thing after the other.
//!
//! The ladder is data: a rung keeps what the rungs below it gave up and adds one thing. Rung 0 is the plan as it was
//! made. When a section or its decoding runs out of memory, the job climbs a rung, is planned again, and repeats that
//! section, or that decoding, alone.

use framepack_ipc::worker::RungTaken;

use super::relief::{Relief, Residents};

/// A step of the ladder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) name: &'static str,
    gives_up: Reduction,
}

/// One way of using less memory.
#[derive(Debug, PartialEq, Eq)]
enum Reduction {
    /// Frames are decoded in spatial tiles, whose seams are blended.
    WholeFrames,
    /// So much more is kept free beside the transformer's weights.
    Room { bytes: u64 },
    /// Fewer of its blocks stay on the device.
    Residents(Residents),
}

/// From the smallest loss to the largest. Only the first changes the result, and only that of frames larger than a
/// tile.
const LADDER: [Rung; 4] = [
    Rung {
        name: "vae tiles",
        gives_up: Reduction::WholeFrames,
    },
    Rung {
        name: "preserve 2 GB more",
        gives_up: Reduction::Room {
            bytes: 2_000_000_000,
        },
    },
    Rung {
        name: "half of the resident blocks",
        gives_up: Reduction::Residents(Residents::Half),
    },
    Rung {
        name: "every block streamed",
        gives_up: Reduction::Residents(Residents::None),
    },
];

/// A job's place on the ladder.
#[derive(Debug)]
pub(crate) struct Ladder {
    rung: usize,
    host_halvings: u32,
    taken: Vec<RungTaken>,
}

impl Ladder {
    /// Begins on a rung, which an earlier run may have found to be needed, and with page-locked memory halved so often.
    pub(crate) fn at(rung: u32, host_halvings: u32) -> Self {
        let mut ladder = Self {
            host_halvings,
            rung: LADDER.len().min(rung as usize),
            taken: vec![],
        };
        if ladder.rung > 0 {
            ladder.take("an earlier run of the job needed it".to_owned());
        }
        ladder
    }

    /// The rung, 0 for none.
    pub(crate) fn rung(&self) -> u32 {
        self.rung as u32
    }

    /// The next rung, if there is one.
    pub(crate) fn climb(&mut self) -> Option<&'static Rung> {
        let next = LADDER.get(self.rung)?;
        self.rung += 1;
        Some(next)
    }

    /// Notes that the job goes on from the present rung, and why.
    pub(crate) fn take(&mut self, reason: String) -> &RungTaken {
        let name = LADDER[self.rung - 1].name.to_owned();
        let rung = self.rung();
        self.taken.push(RungTaken { rung, name, reason });
        self.taken.last().expect("pushed above")
    }

    /// Names of what was taken, in this order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.taken.iter().map(|rung| rung.name.clone()).collect()
    }

    /// What was taken, in this order.
    pub(crate) fn into_taken(self) -> Vec<RungTaken> {
        self.taken
    }

    /// All that is given up on this rung.
    pub(crate) fn relief(&self) -> Relief {
        relief(self.rung, self.host_halvings)
    }
}

/// All that is given up on a rung, 0 for none, and of page-locked memory.
pub(crate) fn relief(rung: usize, host_halvings: u32) -> Relief {
    let mut relief = Relief {
        host_halvings,
        ..Relief::default()
    };
    for rung in &LADDER[..rung.min(LADDER.len())] {
        match rung.gives_up {
            Reduction::WholeFrames => relief.has_spatial_tiles = true,
            Reduction::Room { bytes } => relief.room_bytes += bytes,
            Reduction::Residents(residents) => relief.residents = residents,
        }
    }
    relief
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_gives_up_one_thing_more() {
        let row = |has_spatial_tiles, gigabytes: u64, residents| Relief {
            has_spatial_tiles,
            room_bytes: gigabytes * 1_000_000_000,
            residents,
            host_halvings: 1,
        };
        let table = [
            ("", row(false, 0, Residents::Planned)),
            ("vae tiles", row(true, 0, Residents::Planned)),
            ("preserve 2 GB more", row(true, 2, Residents::Planned)),
            ("half of the resident blocks", row(true, 2, Residents::Half)),
            ("every block streamed", row(true, 2, Residents::None)),
        ];
        let mut ladder = Ladder::at(0, 1);
        assert_eq!(ladder.relief(), table[0].1);
        for (number, (name, expected)) in table.iter().enumerate().skip(1) {
            assert_eq!(ladder.climb().unwrap().name, *name);
            assert_eq!((ladder.rung(), ladder.relief()), (number as u32, *expected));
        }
        assert_eq!(ladder.climb(), None);
        assert_eq!(ladder.rung(), 4);
    }

    #[test]
    fn a_run_that_begins_on_a_rung_says_so() {
        assert!(Ladder::at(0, 0).into_taken().is_empty());
        let taken = Ladder::at(2, 0).into_taken();
        assert_eq!((taken.len(), taken[0].rung), (1, 2));
        assert_eq!(Ladder::at(99, 0).rung(), 4);
    }
}
