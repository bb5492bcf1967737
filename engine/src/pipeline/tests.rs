//! Whole section loops, latents and frames, against the reference.

mod overlap;
mod section_loop;
mod sections;

use std::{
    collections::HashMap,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use framepack_ipc::worker::{Extent, Phase, Precaution};
use framepack_jobs::{Guidance, JobId, Model, Settings};
use serde::Deserialize;

use self::section_loop::{Change, Start, generator, place, run_sections};
use super::*;
use crate::{
    checkpoint::ResumePoint,
    sampler::{Guided, needs_negative},
    section::{SectionOrder, SectionPlan},
};

type Tensors = HashMap<String, Tensor>;

/// An entry of `sections` or `video` in the fixtures' manifest.
#[derive(Deserialize)]
struct Case {
    name: String,
    image: Option<PathBuf>,
    prompt: Option<String>,
    bucket: Option<u32>,
    inputs: Option<PathBuf>,
    expected: PathBuf,
    #[serde(default)]
    stride: HashMap<String, Vec<i64>>,
    tolerance: Tolerance,
    order: String,
    sections: u32,
    seed: u64,
    steps: u32,
    guidance: Guidance,
    window: u32,
}

#[derive(Deserialize)]
struct Tolerance {
    max_abs: f64,
    rel_l2: f64,
    frames_max_abs: i64,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

fn cases(list: &str) -> Vec<Case> {
    let manifest = std::fs::read_to_string(fixtures().join("parity/manifest.json")).unwrap();
    // Python writes infinite tolerances of other lists in a way that is not JSON.
    let mut manifest: serde_json::Value =
        serde_json::from_str(&manifest.replace("Infinity", "1e300")).unwrap();
    let cases: Vec<Case> = serde_json::from_value(manifest[list].take()).unwrap();
    assert!(!cases.is_empty(), "the manifest has no {list}");
    cases
}

fn tensors(file: &Path) -> Tensors {
    Tensor::read_safetensors(fixtures().join("parity").join(file))
        .unwrap()
        .into_iter()
        .collect()
}

impl Case {
    fn job(&self, work_dir: &Path) -> Job {
        let image = self
            .image
            .clone()
            .unwrap_or_else(|| "preprocess/48x48.png".into());
        let model = if self.order == "backward" {
            Model::Original
        } else {
            Model::F1
        };
        let request = RenderRequest {
            own: vec![],
            job: JobId(1),
            name: self.name.clone(),
            bundle: fixtures().join("bundle"),
            f1_bundle: None,
            model,
            image: fixtures().join("parity").join(&image),
            image_name: image,
            prompt: self.prompt.clone().unwrap_or_default(),
            negative_prompt: String::new(),
            seed: self.seed,
            length_secs: 1.,
            steps: Some(self.steps),
            guidance: self.guidance,
            bucket: self.bucket,
            latent_window: Some(self.window),
            crf: 16,
            settings: Settings::default(),
            output: work_dir.join("video.mp4"),
            work_dir: work_dir.into(),
            rung: 0,
            host_rung: 0,
            precaution: Precaution::None,
            extent: Extent::Whole,
        };
        let mut job = Job::resolve(&request).unwrap();
        let order = if model == Model::Original {
            SectionOrder::Backward
        } else {
            SectionOrder::Forward
        };
        job.sampling.sections = SectionPlan::new(order, self.sections, self.window);
        job
    }

    /// Compares `got` with the expected tensor `name`, at the points that the fixture keeps.
    fn assert_close(&self, expected: &Tensors, name: &str, got: &Tensor) {
        let wanted = &expected[name];
        let got = self.thinned(name, got);
        assert_eq!(got.size(), wanted.size(), "{} {name}", self.name);
        let difference = got - wanted;
        let max_abs = difference.abs().max().double_value(&[]);
        let rel_l2 = difference.norm().double_value(&[]) / wanted.norm().double_value(&[]);
        println!(
            "{} {name}: max abs {max_abs:.1e}, rel L2 {rel_l2:.1e}",
            self.name
        );
        assert!(
            max_abs <= self.tolerance.max_abs,
            "{} {name}: max abs {max_abs}",
            self.name
        );
        assert!(
            rel_l2 <= self.tolerance.rel_l2,
            "{} {name}: rel L2 {rel_l2}",
            self.name
        );
    }

    fn assert_frames(&self, expected: &Tensors, video: &Video) {
        let size = video.latents.size();
        let (height, width) = (size[3] * 8, size[4] * 8);
        let bytes = sections::frames(video).concat();
        let frames = Tensor::from_slice(&bytes)
            .view([1, -1, height, width, 3])
            .permute([0, 4, 1, 2, 3]);
        let got = self.thinned("frames", &frames).to_kind(Kind::Int);
        let wanted = expected["frames"].to_kind(Kind::Int);
        assert_eq!(got.size(), wanted.size(), "{} frames", self.name);
        let max_abs = (got - wanted).abs().max().int64_value(&[]);
        assert!(
            max_abs <= self.tolerance.frames_max_abs,
            "{} frames: {max_abs}",
            self.name
        );
    }

    fn thinned(&self, name: &str, tensor: &Tensor) -> Tensor {
        let strides = self.stride.get(name).cloned().unwrap_or_default();
        (0..)
            .zip(strides)
            .fold(tensor.shallow_clone(), |t, (axis, step)| {
                t.slice(axis, None, None, step)
            })
    }
}

/// Runs `case` from the given opening, or from its own.
fn generate(
    pipeline: &mut Pipeline,
    case: &Case,
    opening: Option<Opening>,
    work_dir: &Path,
) -> (Opening, Video) {
    let job = case.job(work_dir);
    let mut listener = |_: crate::progress::Update<'_>| ControlFlow::Continue(());
    let mut progress = ProgressReporter::new(&mut listener);
    place(pipeline, &job, Change::Nothing);
    let nothing = ResumePoint::default();
    let opening = opening.unwrap_or_else(|| {
        let files = EncoderFiles::of(&job.bundle).unwrap();
        let opening = pipeline.opening(&job, files, &nothing, &mut progress);
        opening.unwrap()
    });
    let start = Start {
        job: &job,
        opening: &opening,
        found: &nothing,
    };
    let (video, _) = run_sections(pipeline, &start, &mut progress).unwrap();
    (opening, video)
}

fn given_opening(case: &Case) -> Opening {
    let inputs = tensors(case.inputs.as_ref().expect("section loops have inputs"));
    let side = |prefix: &str| crate::transformer::Conditioning {
        encoder_hidden_states: inputs[&format!("{prefix}encoder_hidden_states")].copy(),
        encoder_attention_mask: Some(inputs[&format!("{prefix}encoder_attention_mask")].ne(0)),
        pooled_projections: inputs[&format!("{prefix}pooled_projections")].copy(),
        image_embeddings: Some(inputs["image_embeddings"].copy()),
    };
    Opening {
        start_latent: inputs["start_latent"].copy(),
        conditioning: Some(Guided {
            positive: side(""),
            negative: needs_negative(&case.guidance).then(|| side("negative_")),
        }),
    }
}

#[test]
fn section_loops_and_whole_videos_are_the_reference() {
    let _generator = generator();
    let mut pipeline = Pipeline::new(Device::Cpu, ModelOptions::default());
    for case in cases("sections") {
        let work_dir = tempfile::tempdir().unwrap();
        let opening = given_opening(&case);
        let (_, video) = generate(&mut pipeline, &case, Some(opening), work_dir.path());
        let expected = tensors(&case.expected);
        let mut sections: Vec<&Tensor> = (0..case.sections)
            .map(|i| &expected[&format!("section_{i}")])
            .collect();
        if case.order == "backward" {
            sections.reverse();
        }
        let all = Tensor::cat(&sections, 2);
        let generated = all.size()[2];
        let latents = video
            .latents
            .narrow(2, video.latents.size()[2] - generated, generated);
        case.assert_close(
            &HashMap::from([("latents".into(), all)]),
            "latents",
            &latents,
        );
        case.assert_frames(&expected, &video);
    }
    for case in cases("video") {
        let work_dir = tempfile::tempdir().unwrap();
        let (opening, video) = generate(&mut pipeline, &case, None, work_dir.path());
        let expected = tensors(&case.expected);
        let conditioning = opening.conditioning.expect("all is to be sampled");
        let positive = &conditioning.positive;
        let tokens = expected["encoder_hidden_states"].size()[1];
        let prompt = positive.encoder_hidden_states.narrow(1, 0, tokens);
        case.assert_close(&expected, "encoder_hidden_states", &prompt);
        case.assert_close(
            &expected,
            "pooled_projections",
            &positive.pooled_projections,
        );
        let image = positive.image_embeddings.as_ref().unwrap();
        case.assert_close(&expected, "image_embeddings", image);
        case.assert_close(&expected, "start_latent", &opening.start_latent);
        case.assert_close(&expected, "latents", &video.latents);
        case.assert_frames(&expected, &video);
    }
}
