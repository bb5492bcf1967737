//! `unload`: workers without a job give up memory at once, as the original's `force_free_vram`, and further than that.

use std::time::Instant;

use framepack_ipc::{
    ErrorEnvelope,
    control::Response,
    warmth::{UnloadRequest, WarmthChange, WarmthOutcome},
    worker::{HeldMemory, Temperature},
};

use super::{
    service::Service,
    warmth::{change_each, ended, not_done},
};
use crate::worker::{NotDone, Warm, Warmth, Wish};

pub(super) async fn unload(
    service: &Service,
    request: UnloadRequest,
) -> Result<Response, ErrorEnvelope> {
    let (to, until_free_bytes) = (request.to, request.until_free_bytes);
    change_each(service, request.device.as_deref(), |worker| {
        let unloading = Unloading {
            warmth: service.warmth.clone(),
            device: worker.device,
            to,
            until_free_bytes,
        };
        async {
            let device = unloading.device.clone();
            let unloaded = unloading.carry_out().await;
            unloaded.unwrap_or_else(|why| not_done(device, why))
        }
    })
    .await
}

/// What is wanted of one device's worker.
struct Unloading {
    warmth: Warmth,
    device: String,
    to: Temperature,
    until_free_bytes: Option<u64>,
}

impl Unloading {
    async fn carry_out(self) -> Result<WarmthChange, NotDone> {
        let since = Instant::now();
        // Gives up nothing, and tells what there is.
        let before = self.keep(Temperature::Hot).await?;
        let mut now = before;
        for step in [Temperature::Warm, Temperature::Cold] {
            let is_on_the_way = self.until_free_bytes.is_some() || step == self.to;
            if step > now.temperature && step <= self.to && is_on_the_way && !self.is_enough(now) {
                now = self.keep(step).await?;
            }
        }
        let is_short = self.until_free_bytes.is_some() && !self.is_enough(now);
        let outcome = match (is_short, now.temperature > before.temperature) {
            (true, _) => WarmthOutcome::Short,
            (false, true) => WarmthOutcome::Freed,
            (false, false) => WarmthOutcome::Unchanged,
        };
        let change = ended(outcome, self.device, now, since);
        let freed = |of: &dyn Fn(HeldMemory) -> Option<(u64, u64)>| {
            let (more, less) = of(now.memory?)?;
            (now.temperature > before.temperature).then(|| more.saturating_sub(less))
        };
        let free_before = before.memory.and_then(|memory| memory.device_free_bytes);
        let host_before = before.memory.and_then(|memory| memory.host_bytes);
        Ok(WarmthChange {
            freed_bytes: freed(&|memory| Some((memory.device_free_bytes?, free_before?))),
            freed_host_bytes: freed(&|memory| Some((host_before?, memory.host_bytes?))),
            ..change
        })
    }

    async fn keep(&self, temperature: Temperature) -> Result<Warm, NotDone> {
        self.warmth
            .order(&self.device, Wish::Keep(temperature))
            .await
    }

    /// Whether as much is free as is wanted, as far as the worker tells.
    fn is_enough(&self, now: Warm) -> bool {
        let free_bytes = now.memory.and_then(|memory| memory.device_free_bytes);
        let wanted = self.until_free_bytes.zip(free_bytes);
        wanted.is_some_and(|(wanted, free)| free >= wanted)
    }
}
