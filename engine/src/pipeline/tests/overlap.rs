//! Frames that are kept while the next section is sampled, as on a card with memory for both: the same video, whatever
//! happens meanwhile. On a processor a section is decoded first, and its frames are pending all the same.

use super::{
    sections::{Sampled, frames},
    *,
};
use crate::progress::{Listener, Stop, Update};

const SECTIONS: usize = 3;

/// A job of three short sections in a work folder of its own.
struct Short {
    job: Job,
    opening: Opening,
    _work_dir: tempfile::TempDir,
}

/// What became of a run.
struct Outcome {
    made: Result<(Video, Ladder), Error>,
    /// Sections whose frames were told to be kept, each with the section and step that were being made.
    kept: Vec<(u32, [u32; 2])>,
}

impl Short {
    fn new() -> Self {
        let mut cases = cases("sections").into_iter();
        let case = cases.find(|case| case.order == "backward").unwrap();
        let work_dir = tempfile::tempdir().unwrap();
        let mut job = case.job(work_dir.path());
        job.sampling.sections = SectionPlan::new(SectionOrder::Backward, SECTIONS as u32, 2);
        job.sampling.steps = 2;
        Self {
            job,
            opening: given_opening(&case),
            _work_dir: work_dir,
        }
    }

    /// Goes on where an earlier run ended.
    fn run(&self, change: Change, listener: &mut Listener<'_>) -> Outcome {
        let (mut kept, mut now) = (vec![], [0, 0]);
        let mut heard = |update: Update<'_>| {
            match update {
                Update::Progress(progress) => now = [progress.section, progress.step],
                Update::Kept {
                    sections,
                    pieces: 0,
                    steps: 0,
                } => kept.push((sections, now)),
                _ => {}
            }
            listener(update)
        };
        let mut pipeline = Pipeline::new(Device::Cpu, ModelOptions::default());
        place(&mut pipeline, &self.job, change);
        let files = EncoderFiles::of(&self.job.bundle).unwrap();
        let found = pipeline
            .checkpoints(&self.job, files)
            .unwrap()
            .find(SECTIONS);
        let start = Start {
            job: &self.job,
            opening: &self.opening,
            found: &found,
        };
        let mut progress = ProgressReporter::new(&mut heard);
        let made = device::catch(|| run_sections(&mut pipeline, &start, &mut progress));
        Outcome { made, kept }
    }

    /// Sections whose frames a next run finds.
    fn kept(&self) -> u32 {
        let files = EncoderFiles::of(&self.job.bundle).unwrap();
        let mut pipeline = Pipeline::new(Device::Cpu, ModelOptions::default());
        let found = pipeline
            .checkpoints(&self.job, files)
            .unwrap()
            .find(SECTIONS);
        let order = self.job.sampling.sections.order;
        let mut frames = KeptFrames::new(&self.job.output.work_dir, order);
        frames.find(&found.checksums);
        frames.sections()
    }

    fn files(&self) -> Vec<std::ffi::OsString> {
        let entries = std::fs::read_dir(&self.job.output.work_dir).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }
}

fn on(_: Update<'_>) -> ControlFlow<Stop> {
    ControlFlow::Continue(())
}

/// Before this step of this section, both counted from 0.
fn is_at(update: Update<'_>, section: u32, step: u32) -> bool {
    matches!(update, Update::Progress(now) if now.phase == Phase::Sample && [now.section, now.step] == [section, step])
}

/// Torch's own failure, once.
fn runs_out(section: u32, step: u32) -> impl FnMut(Update<'_>) -> ControlFlow<Stop> {
    let mut is_over = false;
    move |update| {
        if is_at(update, section, step) && !std::mem::replace(&mut is_over, true) {
            let _too_much = Tensor::empty([1 << 50], (Kind::Float, Device::Cpu));
        }
        ControlFlow::Continue(())
    }
}

/// Ends the run there.
fn ends(section: u32, step: u32, stop: Stop) -> impl FnMut(Update<'_>) -> ControlFlow<Stop> {
    move |update| {
        if is_at(update, section, step) {
            ControlFlow::Break(stop)
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// One test for all, since libtorch has one noise generator for all threads.
#[test]
fn frames_are_kept_beside_the_next_sections_steps_and_nothing_else_changes() {
    let _generator = generator();
    let alone = Short::new();
    let outcome = alone.run(Change::Nothing, &mut on);
    assert_eq!(outcome.kept, [(1, [0, 2]), (2, [1, 2]), (3, [2, 2])]);
    let (expected, _) = outcome.made.unwrap();
    let expected_frames = frames(&expected);
    let assert_same = |name: &str, video: &Video| {
        assert!(video.latents.equal(&expected.latents), "{name}");
        assert!(frames(video) == expected_frames, "{name}");
    };

    let beside = Short::new();
    let outcome = beside.run(Change::Overlap, &mut on);
    assert_eq!(outcome.kept, [(1, [1, 1]), (2, [2, 1]), (3, [2, 2])]);
    let (video, ladder) = outcome.made.unwrap();
    assert_same("beside", &video);
    assert_eq!(beside.files(), alone.files());
    assert!(video.overlap_ended.is_none() && ladder.into_taken().is_empty());
    assert_eq!(video.tiles, expected.tiles);

    // The second section's first step: the first one's frames are pending.
    let short = Short::new();
    let outcome = short.run(Change::Overlap, &mut runs_out(1, 0));
    assert_eq!(outcome.kept, [(1, [1, 0]), (2, [1, 2]), (3, [2, 2])]);
    let (video, ladder) = outcome.made.unwrap();
    assert_same("memory for one of both", &video);
    let reason = video.overlap_ended.unwrap();
    assert!(reason.starts_with("sampling section 2: "), "{reason}");
    assert!(ladder.into_taken().is_empty(), "nothing else is given up");

    // Behind it nothing is pending: it is the step itself that has no memory.
    let short = Short::new();
    let outcome = short.run(Change::Overlap, &mut runs_out(1, 2));
    let (video, ladder) = outcome.made.unwrap();
    assert_same("memory for neither", &video);
    assert!(video.overlap_ended.is_none());
    assert_eq!(ladder.into_taken().len(), 1);

    for (stop, kept) in [(Stop::Suspend, 1), (Stop::Cancel, 0)] {
        let short = Short::new();
        let outcome = short.run(Change::Overlap, &mut ends(1, 0, stop));
        assert!(matches!(
            outcome.made,
            Err(Error::Suspended | Error::Cancelled)
        ));
        assert_eq!(short.kept(), kept, "{stop:?} before the first step");
        let again = short.run(Change::Overlap, &mut on);
        assert_same("gone on", &again.made.unwrap().0);
    }
    // As soon as the frames are kept, which is behind a step: that step is not lost.
    let short = Short::new();
    let outcome = short.run(Change::Overlap, &mut |update| match update {
        Update::Kept { sections: 1, .. } => ControlFlow::Break(Stop::Suspend),
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(outcome.made, Err(Error::Suspended)));
    let mut steps = vec![];
    let again = short.run(Change::Overlap, &mut |update| {
        if let Update::Progress(now) = update
            && now.phase == Phase::Sample
        {
            steps.push([now.section, now.step]);
        }
        ControlFlow::Continue(())
    });
    assert_same("gone on behind a step", &again.made.unwrap().0);
    assert_eq!(steps, [[1, 1], [1, 2], [2, 0], [2, 1], [2, 2]]);
}

/// No step is left to be made: each section's frames are waited for before the next one is decoded.
#[test]
fn pending_frames_are_waited_for_and_checked() {
    let _generator = generator();
    for order in [SectionOrder::Backward, SectionOrder::Forward] {
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let [alone, beside, mut spoilt] = folders
            .each_ref()
            .map(|folder| Sampled::new(order, folder.path()));
        let alone = alone.decode(&mut on, Change::Nothing).unwrap();
        let beside = beside.decode(&mut on, Change::Overlap).unwrap();
        assert!(frames(&beside) == frames(&alone), "{order:?}");

        let _ = spoilt.found.sections[1].fill_(f64::NAN);
        let mut kept = vec![];
        let outcome = spoilt.decode(
            &mut |update| {
                if let Update::Kept { sections, .. } = update {
                    kept.push(sections);
                }
                ControlFlow::Continue(())
            },
            Change::Overlap,
        );
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Numerics { .. }), "{error:?}");
        assert_eq!(kept, [1], "{order:?}");
    }
}
