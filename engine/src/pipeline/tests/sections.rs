//! What neighbouring sections share is shared without a trace in the video.

use super::*;
use crate::progress::{Listener, Stop, Update};

/// Four sections, of which nothing but the frames is missing: the latents are there.
pub(super) struct Sampled {
    job: Job,
    opening: Opening,
    pub(super) found: ResumePoint,
}

impl Sampled {
    pub(super) fn new(order: SectionOrder, work_dir: &Path) -> Self {
        let model = match order {
            SectionOrder::Backward => "backward",
            SectionOrder::Forward => "forward",
        };
        let mut cases = cases("sections").into_iter();
        let case = cases.find(|case| case.order == model).unwrap();
        let mut job = case.job(work_dir);
        job.sampling.sections = SectionPlan::new(order, 4, 9);
        let opening = given_opening(&case);
        let mut shape = opening.start_latent.size();
        shape[2] = 9;
        let count = shape.iter().product::<i64>();
        let latents = |section: i64| {
            let numbers = Tensor::arange(count, (Kind::Float, Device::Cpu));
            ((numbers + section * count) * 0.7).sin().view(&shape[..])
        };
        let found = ResumePoint {
            sections: (0..4).map(latents).collect(),
            start_latent: Some(opening.start_latent.copy()),
            checksums: (0..4).map(|section| format!("section {section}")).collect(),
            ..ResumePoint::default()
        };
        Self {
            job,
            opening,
            found,
        }
    }

    pub(super) fn decode(
        &self,
        listener: &mut Listener<'_>,
        change: Change,
    ) -> Result<Video, Error> {
        let mut pipeline = Pipeline::new(Device::Cpu, ModelOptions::default());
        place(&mut pipeline, &self.job, change);
        let start = Start {
            job: &self.job,
            opening: &self.opening,
            found: &self.found,
        };
        let mut progress = ProgressReporter::new(listener);
        let outcome = run_sections(&mut pipeline, &start, &mut progress);
        outcome.map(|(video, _)| video)
    }
}

pub(super) fn frames(video: &Video) -> Vec<Vec<u8>> {
    video
        .frames
        .files()
        .map(|file| file.read())
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn tiles_that_sections_have_in_common_are_decoded_once_and_change_no_bit() {
    let _generator = generator();
    for (order, expected) in [(SectionOrder::Backward, 5), (SectionOrder::Forward, 4)] {
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let [anew, shared, resumed] = folders
            .each_ref()
            .map(|folder| Sampled::new(order, folder.path()));
        let mut on = |_: Update<'_>| ControlFlow::Continue(());
        let anew = anew.decode(&mut on, Change::NoRecurringTiles);
        let anew = anew.unwrap();
        assert_eq!(anew.tiles.reused, 0);
        let shared = shared.decode(&mut on, Change::Nothing).unwrap();
        assert_eq!(
            (shared.tiles.reused, shared.tiles.all),
            (expected, anew.tiles.all)
        );
        assert!(frames(&shared) == frames(&anew), "{order:?}");

        // A run that goes on has no tiles of the section before, unless it decodes that again.
        let mut until_the_third = |update: Update<'_>| match update {
            Update::Kept { sections: 2, .. } => ControlFlow::Break(Stop::Suspend),
            _ => ControlFlow::Continue(()),
        };
        let begun = resumed.decode(&mut until_the_third, Change::Nothing);
        assert!(matches!(begun, Err(Error::Suspended)), "{begun:?}");
        let gone_on = resumed.decode(&mut on, Change::Nothing).unwrap();
        assert!(frames(&gone_on) == frames(&anew), "{order:?}");
    }
}
