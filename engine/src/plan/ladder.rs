//! What a job gives up for want of memory, one thing after the other.
//!
//! The ladder is data: a rung keeps what the rungs below it gave up and adds one thing. Rung 0 is the plan as it was
//! made, or that plan without the step cache. When a section or its decoding runs out of memory, the job climbs a rung, is planned again, and repeats that
//! section, or that decoding, alone.

use framepack_ipc::worker::RungTaken;
use framepack_jobs::LAST_RUNG;

use super::relief::{ChunkRelief, Relief, Residents};

/// A step of the ladder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) name: &'static str,
    gives_up: Reduction,
}

/// One way of using less memory.
#[derive(Debug, PartialEq, Eq)]
enum Reduction {
    /// Steps reuse nothing of earlier ones, so that nothing is kept for them.
    StepCache,
    /// Frames are decoded in spatial tiles, whose seams are blended.
    WholeFrames,
    /// Fewer latent frames are decoded at a time.
    Chunk(ChunkRelief),
    /// So much more is kept free beside the transformer's weights.
    Room { bytes: u64 },
    /// Fewer of its blocks stay on the device.
    Residents(Residents),
}

/// The step cache's bytes first: without them the latents are those of a job without a cache, and every step takes as long
/// as the first. Then from the smallest loss to the largest. Only those of decoding change the result, too, and the first
/// of them only that of frames larger than a tile. What would not help the work that runs out of memory is passed over.
const LADDER: [Rung; LAST_RUNG as usize + 1] = [
    Rung {
        name: STEP_CACHE_RUNG,
        gives_up: Reduction::StepCache,
    },
    Rung {
        name: "vae tiles",
        gives_up: Reduction::WholeFrames,
    },
    Rung {
        name: "vae chunk smaller",
        gives_up: Reduction::Chunk(ChunkRelief::Smaller),
    },
    Rung {
        name: "vae chunk 1",
        gives_up: Reduction::Chunk(ChunkRelief::One),
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

/// The rung without a step cache.
pub(crate) const STEP_CACHE_RUNG: &str = "step cache";

/// What runs out of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Sampling,
    Decoding,
}

/// What a job has given up.
#[derive(Debug)]
pub(crate) struct Ladder {
    given_up: [bool; LADDER.len()],
    host_halvings: u32,
    taken: Vec<RungTaken>,
}

impl Ladder {
    /// Begins on a rung, which an earlier run may have found to be needed, and with page-locked memory halved so often.
    pub(crate) fn at(rung: u32, host_halvings: u32) -> Self {
        let mut ladder = Self {
            host_halvings,
            given_up: up_to(rung as usize),
            taken: vec![],
        };
        if ladder.rung() > 0 {
            let highest = &LADDER[ladder.rung() as usize];
            ladder.take(highest, "an earlier run of the job needed it".to_owned());
        }
        ladder
    }

    /// Gives up the step cache, for this reason.
    pub(crate) fn drop_step_cache(&mut self, reason: String) {
        self.given_up[0] = true;
        self.take(&LADDER[0], reason);
    }

    /// The highest rung, 0 for none or for that of the step cache.
    pub(crate) fn rung(&self) -> u32 {
        let highest = self.given_up.iter().rposition(|is_given_up| *is_given_up);
        highest.map_or(0, |index| index as u32)
    }

    /// The next rung that helps with this work, if there is one.
    pub(crate) fn climb(&mut self, work: Work) -> Option<&'static Rung> {
        let mut rungs = LADDER.iter().zip(&mut self.given_up);
        let (rung, is_given_up) =
            rungs.find(|(rung, is_given_up)| !**is_given_up && rung.helps(work))?;
        *is_given_up = true;
        Some(rung)
    }

    /// Notes that the job goes on from this rung, and why.
    pub(crate) fn take(&mut self, rung: &Rung, reason: String) -> &RungTaken {
        let index = LADDER.iter().position(|other| other == rung);
        self.taken.push(RungTaken {
            rung: index.expect("rungs are made nowhere else") as u32,
            name: rung.name.to_owned(),
            reason,
        });
        self.taken.last().expect("pushed above")
    }

    /// Names of what was taken, in this order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.taken.iter().map(|rung| rung.name.clone()).collect()
    }

    /// Why a rung was taken, if it was.
    pub(crate) fn reason_of(&self, name: &str) -> Option<&str> {
        let taken = self.taken.iter().find(|taken| taken.name == name);
        taken.map(|taken| taken.reason.as_str())
    }

    /// What was taken, in this order.
    pub(crate) fn into_taken(self) -> Vec<RungTaken> {
        self.taken
    }

    /// All that is given up.
    pub(crate) fn relief(&self) -> Relief {
        relief_of(self.given_up, self.host_halvings)
    }
}

impl Rung {
    fn helps(&self, work: Work) -> bool {
        match self.gives_up {
            Reduction::StepCache => work == Work::Sampling,
            Reduction::WholeFrames | Reduction::Chunk(_) => work == Work::Decoding,
            Reduction::Room { .. } | Reduction::Residents(_) => true,
        }
    }
}

/// All that is given up on a rung, 0 for none, and of page-locked memory. Whether there is a step cache a job's own
/// checkpoints say, for a rung is a number.
pub(crate) fn relief(rung: usize, host_halvings: u32) -> Relief {
    relief_of(up_to(rung), host_halvings)
}

fn up_to(rung: usize) -> [bool; LADDER.len()] {
    std::array::from_fn(|index| 0 < index && index <= rung)
}

fn relief_of(given_up: [bool; LADDER.len()], host_halvings: u32) -> Relief {
    let mut relief = Relief {
        host_halvings,
        ..Relief::default()
    };
    for (rung, _) in LADDER
        .iter()
        .zip(given_up)
        .filter(|(_, given_up)| *given_up)
    {
        match rung.gives_up {
            Reduction::StepCache => relief.drops_step_cache = true,
            Reduction::WholeFrames => relief.has_spatial_tiles = true,
            Reduction::Chunk(chunk) => relief.chunk = chunk,
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
        use ChunkRelief::{One, Planned, Smaller};
        let row = |has_spatial_tiles, chunk, gigabytes: u64, residents| Relief {
            drops_step_cache: false,
            has_spatial_tiles,
            chunk,
            room_bytes: gigabytes * 1_000_000_000,
            residents,
            host_halvings: 1,
        };
        let table = [
            ("", row(false, Planned, 0, Residents::Planned)),
            ("vae tiles", row(true, Planned, 0, Residents::Planned)),
            (
                "vae chunk smaller",
                row(true, Smaller, 0, Residents::Planned),
            ),
            ("vae chunk 1", row(true, One, 0, Residents::Planned)),
            ("preserve 2 GB more", row(true, One, 2, Residents::Planned)),
            (
                "half of the resident blocks",
                row(true, One, 2, Residents::Half),
            ),
            ("every block streamed", row(true, One, 2, Residents::None)),
        ];
        let mut ladder = Ladder::at(0, 1);
        assert_eq!(ladder.relief(), table[0].1);
        for (number, (name, expected)) in (0..).zip(&table).skip(1) {
            assert_eq!(ladder.climb(Work::Decoding).unwrap().name, *name);
            assert_eq!((ladder.rung(), ladder.relief()), (number, *expected));
            assert_eq!(Ladder::at(number, 1).relief(), *expected);
        }
        assert_eq!(ladder.climb(Work::Decoding), None);
        assert_eq!(ladder.rung(), 6);
    }

    #[test]
    fn a_step_gives_up_nothing_that_changes_frames() {
        let mut ladder = Ladder::at(0, 0);
        let rung = ladder.climb(Work::Sampling).unwrap();
        assert_eq!(ladder.take(rung, "full".to_owned()).rung, 0);
        assert_eq!(ladder.reason_of(STEP_CACHE_RUNG), Some("full"));
        assert!(ladder.relief().drops_step_cache);
        let rung = ladder.climb(Work::Sampling).unwrap();
        assert_eq!(ladder.take(rung, String::new()).rung, 4);
        let relief = ladder.relief();
        assert_eq!(
            (relief.has_spatial_tiles, relief.chunk),
            (false, ChunkRelief::Planned)
        );
        assert!(relief.room_bytes > 0);
        // Frames that run out of memory later begin at the bottom.
        let rung = ladder.climb(Work::Decoding).unwrap();
        assert_eq!(
            (ladder.take(rung, String::new()).rung, ladder.rung()),
            (1, 4)
        );
    }

    #[test]
    fn a_run_that_begins_on_a_rung_says_so() {
        assert!(Ladder::at(0, 0).into_taken().is_empty());
        let taken = Ladder::at(2, 0).into_taken();
        assert_eq!((taken.len(), taken[0].rung), (1, 2));
        assert_eq!(Ladder::at(99, 0).rung(), 6);
    }
}
