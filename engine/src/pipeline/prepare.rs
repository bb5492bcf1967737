//! What the first job of a bundle needs, made ready before it comes.
//!
//! Nothing here changes a result, and nothing is needed: what can't be prepared is left to the jobs, which then say what
//! is wrong. Bundles may lie on a disk or a share that does not answer, so they are looked at on a thread of their own.

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::worker::RenderRequest;
use framepack_jobs::{Bytes, Model};
use tch::Device;

use super::read_ahead::{Reading, budget_bytes, read_ahead};
use crate::{
    bundle::{Bundle, Component},
    device,
    error::Error,
    job::{Job, usual_request},
    nn::attention::{Backend, Class},
    plan::{ModelOptions, Planner, Relief},
    text::{clip, llama},
    transformer,
    vision::siglip,
    weights::{Layout, weight_files},
};

/// The daemon waits for two minutes until a worker is ready; so long at most for bundles.
const PATIENCE: Duration = Duration::from_secs(30);

/// Parts of a bundle with weights that every job reads, in that order.
const COMPONENTS: [Component; 5] = [
    Component::TextEncoder,
    Component::TextEncoder2,
    Component::Vae,
    Component::ImageEncoder,
    Component::Transformer,
];

/// What jobs are expected to be rendered with.
#[derive(Debug, Clone)]
pub struct Bundles {
    /// The model bundle.
    pub bundle: PathBuf,
    /// The one with F1's transformer, if it is another one.
    pub f1_bundle: Option<PathBuf>,
}

/// What a look at the bundles found.
#[derive(Debug, Default)]
struct Found {
    /// Files of the encoders, to be read ahead.
    encoders: Vec<PathBuf>,
    /// How many files were opened, with those of the transformers.
    files: usize,
    /// What the attention is of a job in the bundle's usual size, of each model.
    classes: Vec<Class>,
}

/// Checks the device and prepares what jobs of `bundles` will need; `choose` decides about the attention's backend. Fails
/// if the device does.
pub(super) fn prepare(
    bundles: &Bundles,
    usual: Usual,
    mut choose: impl FnMut(&Class) -> Result<Backend, Error>,
) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    device::answers(usual.device)?;
    tracing::info!("prepared: the device computes right");
    let Some(found) = look(bundles.clone(), usual, deadline) else {
        tracing::warn!(
            bundle = %bundles.bundle.display(),
            "not prepared: the bundle's files do not answer; jobs will wait for them"
        );
        return Ok(());
    };
    tracing::info!(files = found.files, "prepared: weight files are opened");
    for class in &found.classes {
        let backend = choose(class)?;
        tracing::info!(%backend, ?class, "prepared: attention");
    }
    let budget_bytes = budget_bytes(device::host_available_bytes().unwrap_or(0));
    match read_ahead(found.encoders, budget_bytes, deadline) {
        Reading::Ended { bytes } => {
            tracing::info!(bytes = %Bytes(bytes), "prepared: encoders are read ahead");
        }
        Reading::GoesOn => tracing::info!("prepared: encoders are being read ahead"),
    }
    Ok(())
}

/// Looks at the bundles on another thread; `None` if that is not over at `deadline`.
fn look(bundles: Bundles, usual: Usual, deadline: Instant) -> Option<Found> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // Nobody waits any more when the deadline has passed.
        let _ = sender.send(usual.find(&bundles));
    });
    let patience = deadline.saturating_duration_since(Instant::now());
    receiver.recv_timeout(patience).ok()
}

/// What finds out what usual jobs take.
pub(super) struct Usual {
    pub(super) planner: Planner,
    pub(super) options: ModelOptions,
    pub(super) device: Device,
}

impl Usual {
    /// What there is. What is missing or damaged is logged: jobs will wait for it.
    fn find(&self, bundles: &Bundles) -> Found {
        let (root, f1_root) = (&bundles.bundle, bundles.f1_bundle.as_deref());
        let mut found = Found::default();
        let bundle = match Bundle::open(root) {
            Ok(bundle) => bundle,
            Err(error) => {
                not_prepared(&error.into());
                return found;
            }
        };
        let f1 = f1_transformer(&bundle, f1_root);
        if self.options.synthesise.is_none() {
            for component in COMPONENTS {
                found.open(&bundle, component);
            }
            if let Some((bundle, component)) = &f1 {
                found.open(bundle, *component);
            }
        }
        let models = [Model::Original, Model::F1];
        for &model in &models[..=usize::from(f1.is_some())] {
            match self.class(&usual_request(root, f1_root, model)) {
                Ok(class) if found.classes.contains(&class) => {}
                Ok(class) => found.classes.push(class),
                Err(error) => not_prepared(&error),
            }
        }
        found
    }

    /// What the attention is of a job.
    fn class(&self, request: &RenderRequest) -> Result<Class, Error> {
        device::catch(|| {
            let job = Job::with_blank_picture(request)?;
            let (plan, _) = self.planner.plan_job(&job, Relief::default())?;
            let config = transformer::Config::read(&job.transformer)?;
            let kind = self.options.transformer_kind(self.device);
            Ok(config.attention_class(kind, plan.transformer.tokens))
        })
    }
}

impl Found {
    /// Opens a component's weight files and reads their headers.
    fn open(&mut self, bundle: &Bundle, component: Component) {
        let layout = match component {
            Component::TextEncoder => &llama::LAYOUT,
            Component::TextEncoder2 => &clip::LAYOUT,
            Component::ImageEncoder => &siglip::LAYOUT,
            _ => &Layout::DIFFUSERS,
        };
        let is_transformer = matches!(component, Component::Transformer | Component::TransformerF1);
        let folder = bundle.component(component).map_err(Error::from);
        let files = folder.and_then(|folder| Ok(weight_files(&folder, layout)?));
        match files {
            Ok(files) => {
                self.files += files.len();
                if !is_transformer {
                    self.encoders.extend(files);
                }
            }
            Err(error) => not_prepared(&error),
        }
    }
}

/// Where F1's transformer is, if there is one beside the other: in the bundle, or in the other bundle where one is named.
fn f1_transformer(bundle: &Bundle, f1_root: Option<&Path>) -> Option<(Bundle, Component)> {
    let either = [Component::TransformerF1, Component::Transformer];
    let Some(f1_root) = f1_root else {
        let own = bundle.f1_transformer().ok();
        let own = own.filter(|part| *part == Component::TransformerF1);
        return own.map(|part| (bundle.clone(), part));
    };
    match Bundle::open(f1_root) {
        Ok(bundle) => {
            let found = either
                .into_iter()
                .find(|part| bundle.component(*part).is_ok());
            Some((bundle, found.unwrap_or(Component::TransformerF1)))
        }
        Err(error) => {
            not_prepared(&error.into());
            None
        }
    }
}

fn not_prepared(error: &Error) {
    let code = error.failure().code;
    tracing::warn!(%code, %error, "not prepared; a job would meet the same");
}
