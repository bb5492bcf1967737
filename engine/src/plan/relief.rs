//! What is given up for want of memory.

/// What a plan gives up after memory ran out although it should have been enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relief {
    /// Every step is computed.
    pub drops_step_cache: bool,
    /// Frames are decoded in spatial tiles.
    pub has_spatial_tiles: bool,
    /// How many latent frames are decoded at a time.
    pub chunk: ChunkRelief,
    /// Kept free beside what is kept free anyway, where it fits.
    pub room_bytes: u64,
    /// How many of the blocks that could stay on the device do.
    pub residents: Residents,
    /// How often the host memory that may be page-locked is halved.
    pub host_halvings: u32,
}

/// A part of the latent frames that a plan would decode at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChunkRelief {
    /// All of them.
    #[default]
    Planned,
    /// Half of them, rounded up.
    Smaller,
    /// One.
    One,
}

/// A part of the blocks that a plan would keep on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Residents {
    /// All of them.
    #[default]
    Planned,
    /// Half of them, rounded down.
    Half,
    /// None: every block is streamed.
    None,
}

impl Residents {
    /// How many of so many.
    pub(crate) fn of(self, planned: usize) -> usize {
        match self {
            Self::Planned => planned,
            Self::Half => planned / 2,
            Self::None => 0,
        }
    }
}
