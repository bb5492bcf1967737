//! `warmup`: idle workers load the models of the jobs to come.

use std::{path::Path, time::Instant};

use framepack_ipc::{
    ErrorEnvelope,
    control::Response,
    warmth::{WarmUpRequest, WarmthOutcome},
    worker::RenderRequest,
};
use framepack_jobs::{JobId, Source};

use super::{
    service::Service,
    warmth::{change_each, ended, not_done},
};
use crate::{
    folder::{Offer, Refusal},
    worker::Wish,
};

/// A job that nobody renders: its settings are the farm's, and those of the request.
const JOB: &str = "api: framepack/v1\nstart: {image: none.png}\n";

pub(super) async fn warm_up(
    service: &Service,
    request: WarmUpRequest,
) -> Result<Response, ErrorEnvelope> {
    let job = job_to_come(service, &request)?;
    change_each(service, request.device.as_deref(), |worker| {
        let (warmth, device) = (service.warmth.clone(), worker.device);
        let wish = Wish::Load(Box::new(job.clone()));
        async move {
            let since = Instant::now();
            match warmth.order(&device, wish).await {
                Ok(warm) => ended(WarmthOutcome::Loaded, device, warm, since),
                Err(why) => not_done(device, why),
            }
        }
    })
    .await
}

/// The request of a job as those that are expected.
fn job_to_come(service: &Service, request: &WarmUpRequest) -> Result<RenderRequest, Refusal> {
    let profile = request.profile.iter();
    let mut set: Vec<String> = profile.map(|name| format!("profile={name}")).collect();
    set.extend(request.set.iter().cloned());
    let offer = Offer {
        text: JOB,
        set: &set,
        stem: "warmup",
        folder: Path::new("/"),
        source: Source::Submit { folder: "/".into() },
        claim: None,
    };
    let submission = service.intake.without_image(offer)?;
    // Jobs are counted from 1.
    let record = submission.into_record(JobId(0), Path::new("/none.mp4").to_owned());
    Ok(service.renderer.request(&record))
}
