//! Start images that claimed files name, until they are complete.

use std::{collections::HashSet, ffi::OsStr};

use crate::{
    disk::ImageLook,
    folder::{
        dropped::Wait,
        notice::{Candidate, Moment, SettleRules, Settling},
    },
};

/// The images that are waited for: they settle by the same rules as dropped files.
#[derive(Debug)]
pub(super) struct Images(Settling);

impl Images {
    pub(super) fn new(rules: SettleRules) -> Self {
        Self(Settling::new(rules))
    }

    /// Whether an image is complete.
    pub(super) fn look(&mut self, image: &ImageLook, moment: Moment) -> Result<(), Wait> {
        let (name, state) = (image.path.as_os_str(), image.state);
        let looked = self.0.look(name, state, moment, image);
        looked.map_err(|wait| Wait {
            why: format!("{}: {}", image.path.display(), wait.why),
            ..wait
        })
    }

    /// Forgets every other image.
    pub(super) fn keep_only(&mut self, awaited: &HashSet<&OsStr>) {
        self.0.keep_only(|image| awaited.contains(image));
    }
}

impl Candidate for ImageLook {
    /// An image is decoded by the worker: here it is only waited for until nobody writes to it.
    fn unfinished(&self) -> Option<String> {
        None
    }

    fn is_open(&self) -> bool {
        self.is_open
    }
}
