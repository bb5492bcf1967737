//! What is there of the files that are wanted, and what is missing.

use std::path::Path;

use serde::Serialize;

use super::{error::FetchError, taken::Taken};
use crate::{
    api::{HubFile, Listing},
    manifest::Manifest,
    target::{Place, Presence, Target, free_bytes},
};

/// A wanted file.
#[derive(Debug)]
pub(crate) struct Planned<'l> {
    pub(crate) listing: &'l Listing,
    pub(crate) file: &'l HubFile,
    pub(crate) place: Place,
    pub(crate) presence: Presence,
    /// Whether it is there and was checked, and nobody has written it since.
    pub(crate) is_checked: bool,
}

/// How far a file is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// There, and checked.
    Checked,
    /// There, by its length.
    There,
    /// Begun.
    Part,
    Missing,
}

/// Looks for all files of the listings that nothing taken as it is replaces: in `target`, and in `cache`, where that is another
/// one.
pub(crate) fn plan<'l>(
    target: &Target,
    cache: &Target,
    listings: &'l [Listing],
    taken: &[Taken],
) -> Vec<Planned<'l>> {
    let of_listing = |listing: &'l Listing| {
        let name = listing.repository.name;
        let manifest = Manifest::read(&target.manifest(name));
        let is_wanted = |file: &&HubFile| !taken.iter().any(|it| it.replaces(listing, file));
        let files = listing.files.iter().filter(is_wanted).map(move |file| {
            let mut place = target.place(name, &listing.commit, file);
            if cache != target {
                place.twin = Some(cache.place(name, &listing.commit, file).data);
            }
            let presence = place.presence(file.bytes);
            let knows = |path: &Path| manifest.as_ref().is_some_and(|it| it.knows(file, path));
            Planned {
                listing,
                file,
                is_checked: matches!(&presence, Presence::Whole(path) if knows(path)),
                place,
                presence,
            }
        });
        files.collect::<Vec<_>>()
    };
    listings.iter().flat_map(of_listing).collect()
}

/// Fails where the disk has no room for so many bytes more.
pub(crate) fn check_room(folder: &Path, missing_bytes: u64) -> Result<(), FetchError> {
    let free_bytes = free_bytes(folder).map_err(FetchError::file(folder))?;
    if missing_bytes <= free_bytes {
        return Ok(());
    }
    Err(FetchError::NoRoom {
        folder: folder.to_owned(),
        missing_bytes,
        free_bytes,
    })
}

impl Planned<'_> {
    /// Fails where the file can't be put, before anything is fetched.
    pub(crate) fn check_place(&self) -> Result<(), FetchError> {
        self.place.obstacle().map_or(Ok(()), |path| {
            Err(FetchError::Obstacle {
                path: path.to_owned(),
            })
        })
    }

    /// The file's name with its repository's.
    pub(crate) fn name(&self) -> String {
        let repository = self.listing.repository.name;
        let short = repository.rsplit('/').next().unwrap_or(repository);
        format!("{short}/{}", self.file.path)
    }

    /// What has to come from the Hub.
    pub(crate) fn missing_bytes(&self) -> u64 {
        match self.presence {
            Presence::Whole(_) | Presence::Other(_) => 0,
            Presence::Part(bytes) => self.file.bytes - bytes,
        }
    }

    pub(crate) fn state(&self) -> State {
        match self.presence {
            _ if self.is_checked => State::Checked,
            Presence::Whole(_) | Presence::Other(_) => State::There,
            Presence::Part(0) => State::Missing,
            Presence::Part(_) => State::Part,
        }
    }
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::There => "there",
            Self::Part => "part",
            Self::Missing => "missing",
        }
    }
}
