//! Options that put the blocks of a model where one wants them, to see that the result does not change.

use anyhow::bail;
use clap::ValueEnum;
use framepack_engine::{
    ForcedSplit,
    offload::{
        DynamicSwap, FreeSlots, Memory, MemoryOptions, Offloading, Residency, TransferOptions,
        load_model_chunked, move_model_to_device_with_memory_preservation,
    },
    plan,
};
use tch::Device;

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// Where blocks are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SplitOptions {
    /// Keep the first N blocks on the device (of the transformer: double-stream blocks, then single-stream ones)
    /// and stream the others through slots [default: all]
    #[arg(long, value_name = "N")]
    resident_blocks: Option<usize>,
    /// Buffers on the device through which blocks are streamed
    #[arg(long, value_name = "S", default_value_t = 3, value_parser = positive)]
    slots: usize,
    /// Limit on transfers started while one block computes [default: as many as slots]
    #[arg(long, value_name = "N")]
    prefetch: Option<usize>,
    /// Copy up to N MiB of streamed blocks to host memory first (page-locked on CUDA)
    #[arg(long, value_name = "MIB")]
    host_mib: Option<u64>,
    /// Send what is not page-locked in chunks, of which those in transit take N MiB of host memory; without --resident-blocks and --preserve-gib, all blocks that
    /// fit are loaded before the model runs, using no more host memory than one chunk
    #[arg(long, value_name = "MIB", value_parser = positive)]
    chunk_mib: Option<usize>,
    /// Keep G GiB of the device free of weights: load as many blocks as leave them and stream the others through slots
    #[arg(
        long,
        value_name = "G",
        value_parser = not_negative,
        allow_negative_numbers = true,
        conflicts_with = "resident_blocks"
    )]
    preserve_gib: Option<f64>,
    /// Use a separate CUDA stream for transfers
    #[arg(long, default_value = "on")]
    async_streams: Switch,
    /// Transfer from page-locked memory
    #[arg(long, default_value = "on")]
    pinned: Switch,
    /// Fill a slot with NaN as soon as its block is computed
    #[arg(long)]
    poison_slots: bool,
}

impl SplitOptions {
    /// The device's memory with these options.
    pub(crate) fn memory(&self, device: Device) -> Memory {
        let free_slots = if self.poison_slots {
            FreeSlots::Poisoned
        } else {
            FreeSlots::Kept
        };
        let transfers = TransferOptions {
            use_async_streams: self.async_streams == Switch::On,
            use_pinned_memory: self.pinned == Switch::On,
            ..TransferOptions::default()
        };
        let options = MemoryOptions {
            transfers,
            free_slots,
            ..MemoryOptions::default()
        };
        let memory = Memory::new(device, options);
        if let Some(mib) = self.chunk_mib {
            memory.set_chunk_bytes(mib.saturating_mul(1 << 20));
        }
        memory
    }

    /// Puts the blocks of a model where the options say.
    pub(crate) fn place<B>(&self, blocks: &DynamicSwap<B>) -> anyhow::Result<()> {
        if let Some(residency) = self.residency(blocks.len())? {
            blocks.place(residency);
        } else if let Some(bytes) = self.preserve_bytes() {
            if self.prefetch.is_some() {
                bail!(
                    "--prefetch has no effect beside --preserve-gib where no plan splits the model"
                );
            }
            let normal = Offloading::Normal;
            let loaded =
                move_model_to_device_with_memory_preservation(blocks, bytes, normal, self.slots)?;
            tracing::info!(
                resident_blocks = loaded.resident_blocks,
                streamed_blocks = loaded.streamed_blocks,
                "loaded beside preserved memory"
            );
        } else if let Some(mib) = self.chunk_mib {
            let loaded = load_model_chunked(blocks, mib)?;
            tracing::info!(
                resident_blocks = loaded.resident_blocks,
                streamed_blocks = loaded.streamed_blocks,
                "loaded in chunks"
            );
        }
        if let Some(mib) = self.host_mib {
            let mut left_bytes = mib.saturating_mul(1 << 20);
            let mut fits = |bytes: u64| {
                let left = left_bytes.checked_sub(bytes);
                left_bytes = left.unwrap_or(left_bytes);
                left.is_some()
            };
            let chosen: Vec<_> = blocks.block_bytes().into_iter().map(&mut fits).collect();
            blocks.fill_host(&chosen)?;
            blocks.wait_for_host();
        }
        Ok(())
    }

    /// Puts the blocks of a model where a plan says, and waits until they are there.
    pub(crate) fn carry_out<B>(
        &self,
        blocks: &DynamicSwap<B>,
        split: &plan::Split,
    ) -> anyhow::Result<()> {
        blocks.place(Residency {
            prefetch: self.prefetch.unwrap_or(split.residency.prefetch),
            ..split.residency.clone()
        });
        blocks.fill_host(&split.pinned)?;
        blocks.wait_for_host();
        Ok(())
    }

    /// Device memory that is to be kept free.
    pub(crate) fn preserve_bytes(&self) -> Option<u64> {
        self.preserve_gib
            .map(|gib| (gib * f64::from(1 << 30)) as u64)
    }

    /// The split that was asked for, as the plan takes it.
    pub(crate) fn forced(&self) -> Option<ForcedSplit> {
        self.resident_blocks.map(|resident_blocks| ForcedSplit {
            resident_blocks,
            slots: self.slots,
        })
    }

    /// The split that was asked for, if there was one.
    fn residency(&self, blocks: usize) -> anyhow::Result<Option<Residency>> {
        let Some(residents) = self.resident_blocks else {
            return Ok(None);
        };
        if residents > blocks {
            bail!("--resident-blocks {residents}: the model has {blocks} blocks");
        }
        let residency = Residency::first(blocks, residents, self.slots);
        Ok(Some(Residency {
            prefetch: self.prefetch.unwrap_or(residency.prefetch),
            ..residency
        }))
    }
}

/// Whether the part of the transformer that does not see the latents is evaluated beforehand.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Hoist {
    /// Evaluate what depends only on timestep, prompt and image once before the steps, and drop its weights from the
    /// device; off: in each step
    #[arg(long, default_value = "on")]
    hoist: Switch,
}

impl Hoist {
    pub(crate) fn switch(self) -> Switch {
        self.hoist
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number >= 0. && f64::is_finite(number) => Ok(number),
        _ => Err("not a number from 0".into()),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("not a whole number above 0".into()),
    }
}
