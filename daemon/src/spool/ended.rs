//! Earlier claims are found again at the start, and claims of ended jobs are filed with their reports.

use std::{
    mem,
    time::{Instant, SystemTime},
};

use framepack_jobs::Source;
use tracing::{info, warn};

use super::{Spool, archive::Archive, held::Held, retention};
use crate::{queue::Stopping, record::Report};

impl Spool {
    /// Goes through what is claimed: what the last daemon left, or what lies in a folder that came back.
    /// In the next round again, if it can't be listed.
    pub(super) fn recover(&mut self) -> Result<(), Stopping> {
        let claims = match self.claims.list() {
            Ok(claims) => claims,
            Err(error) => {
                warn!(%error, "listing the claimed files");
                return Ok(());
            }
        };
        self.is_recovered = true;
        for claim in claims {
            let record = self.queue.by_claim(claim.id.clone());
            let Some(record) = self.runtime.block_on(record)? else {
                self.held.push(Held::new(claim, None));
                continue;
            };
            self.of_jobs.insert(claim.id.clone(), claim);
            if record.job.is_finished() {
                self.unfiled.insert(record.job.id, record);
            }
        }
        Ok(())
    }

    /// From time to time: moves old files to the archive.
    pub(super) fn clear_old(&mut self) {
        if Instant::now() < self.next_clearing {
            return;
        }
        self.next_clearing = Instant::now() + retention::INTERVAL;
        match retention::clear(self.folder.spool_dir(), &self.retention, SystemTime::now()) {
            Ok(0) => {}
            Ok(files) => info!(files, then = ?self.retention.then, "old files moved or removed"),
            Err(error) => warn!(%error, "moving or removing old files"),
        }
    }

    /// Puts the files of jobs that have ended away, with their reports.
    pub(super) fn file_ended(&mut self) {
        if !self.is_recovered {
            return;
        }
        let mut archive = Archive::new(self.folder.spool_dir());
        for (id, record) in mem::take(&mut self.unfiled) {
            let claim_id = record.private.claim.as_ref();
            let Some(claim) = claim_id.and_then(|claim| self.of_jobs.get(claim)) else {
                if let Source::Folder { file } = &record.job.source
                    && let report = Report::ended(file.display().to_string(), &record)
                    && let Err(error) =
                        archive.put_again(file.as_os_str(), &id.to_string(), &report)
                {
                    warn!(job = %id, %error, "filing a retried job's file");
                }
                continue;
            };
            let file = claim.name.display().to_string();
            let report = Report::ended(file, &record);
            match archive.put(claim, &id.to_string(), &report) {
                Err(error) if claim.path.exists() => {
                    warn!(job = %id, %error, "filing the job's file; it stays claimed");
                    self.unfiled.insert(id, record);
                    continue;
                }
                Err(error) => warn!(job = %id, %error, "the job's file is gone"),
                Ok(()) => {}
            }
            let claim = claim.id.clone();
            self.of_jobs.remove(&claim);
        }
        if let Err(error) = archive.sync() {
            // What a crash undoes is filed again.
            warn!(%error, "syncing the folders of ended jobs");
        }
    }
}
