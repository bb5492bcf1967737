//! What a job's report will warn of, found out without a device: prompts that are not read to their end, and what of
//! the start image is not shown.

use std::path::PathBuf;

use framepack_ipc::worker::{Inspected, RenderRequest};
use framepack_jobs::SURELY_READ_BYTES;

use crate::{
    bundle::Bundle,
    error::Error,
    job::background,
    picture,
    text::{
        TextTokenizers,
        reach::{self, used_prompts},
    },
};

/// Inspects jobs one after another; keeps the tokenizers of the latest bundle.
#[derive(Debug, Default)]
pub struct Inspector {
    open: Option<(PathBuf, TextTokenizers)>,
}

impl Inspector {
    /// Inspects one job.
    pub fn inspect(&mut self, request: &RenderRequest) -> Inspected {
        let mut warnings = picture_warnings(request);
        // What is wrong with the bundle is said when the job needs it.
        warnings.extend(self.prompt_warnings(request).unwrap_or_default());
        Inspected {
            job: request.job,
            warnings,
        }
    }

    fn prompt_warnings(&mut self, request: &RenderRequest) -> Result<Vec<String>, Error> {
        let prompts = used_prompts(&request.prompt, &request.negative_prompt, &request.guidance);
        if prompts
            .iter()
            .all(|(_, prompt)| prompt.len() <= SURELY_READ_BYTES)
        {
            return Ok(Vec::new());
        }
        let tokenizers = match self.open.take() {
            Some((root, tokenizers)) if root == request.bundle => tokenizers,
            _ => reach::open(&Bundle::open(&request.bundle)?)?,
        };
        let warnings = reach::said_of(&tokenizers, &prompts);
        self.open = Some((request.bundle.clone(), tokenizers));
        Ok(warnings?)
    }
}

/// A picture that can't be decoded will fail the job, which its user may want to know now.
fn picture_warnings(request: &RenderRequest) -> Vec<String> {
    let Ok(background) = background(&request.settings) else {
        return Vec::new();
    };
    match picture::load::load(&request.image, background) {
        Ok(picture) => picture.warnings,
        Err(error) => {
            let error = error.naming(&request.image_name);
            vec![format!(
                "start.image: the job will fail: {error} ({})",
                error.code()
            )]
        }
    }
}
