//! All models that stay loaded between jobs, loaded before the first of them.

use std::{ops::ControlFlow, path::Path};

use super::Models;
use crate::{bundle::Bundle, error::Error};

impl Models {
    /// Loads what stays loaded after a job that was placed: the transformer in `folder`, the VAE, and the encoders where
    /// there is room for all.
    pub(crate) fn load_all(&mut self, bundle: &Bundle, folder: &Path) -> Result<(), Error> {
        if self.placement().is_roomy {
            self.text(bundle)?;
            self.vision(bundle)?;
        }
        self.vae(bundle)?;
        let blocks = self.transformer(folder)?.blocks();
        let resident = blocks.residency().resident;
        blocks.for_each_of(|number| resident[number], |_, _| ControlFlow::Continue(()));
        blocks.wait_for_host();
        Ok(())
    }
}
