//! What has to be known of the disks before jobs are submitted: a name for each video, and whether the video of the job
//! that one repeats is still there.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use tokio::task::JoinSet;

use super::message::{Found, Survey};
use crate::disk::Disk;

/// A submission's key, and what to look for.
pub(super) type Sought = (String, Survey);

/// Looks for all of that, in the order in which it is given. Each folder is looked at by a task of its own, since one
/// may lie on a share that hangs.
pub(super) async fn search(disk: &Disk, sought: Vec<Sought>) -> Vec<Found> {
    let mut folders: BTreeMap<PathBuf, Vec<(usize, Sought)>> = BTreeMap::new();
    for (place, (key, survey)) in sought.into_iter().enumerate() {
        let folder = folders.entry(survey.names.folder.clone()).or_default();
        folder.push((place, (key, survey)));
    }
    let searches = folders.into_values();
    let searches: JoinSet<_> = searches
        .map(|sought| search_folder(disk.clone(), sought))
        .collect();
    let mut found: Vec<_> = searches.join_all().await.into_iter().flatten().collect();
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, found)| found).collect()
}

async fn search_folder(disk: Disk, sought: Vec<(usize, Sought)>) -> Vec<(usize, Found)> {
    let mut all = Vec::with_capacity(sought.len());
    // By key: a job that repeats one takes no name from the next.
    let mut given: HashMap<String, PathBuf> = HashMap::new();
    for (place, (key, mut survey)) in sought {
        let others = given.iter().filter(|(other, _)| **other != key);
        survey
            .names
            .taken
            .extend(others.map(|(_, name)| name.clone()));
        let found = look_for(&disk, survey).await;
        given.insert(key, found.output.clone());
        all.push((place, found));
    }
    all
}

/// On a share that does not answer the name is free for all that is known, and is looked at again when the job begins; and
/// a video stays there.
async fn look_for(disk: &Disk, survey: Survey) -> Found {
    let without_video = match survey.done {
        Some((job, video)) if matches!(disk.is_there(&video).await, Ok(false)) => Some(job),
        _ => None,
    };
    let first = survey.names.first();
    let free = disk.first_free(survey.names).await;
    Found {
        output: free.unwrap_or(first),
        without_video,
    }
}
