//! Jobs that are cancelled at random moments.

use std::{
    env,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use framepack_ipc::{
    control::{Request, Response, SubmitRequest},
    queue::{Change, ChangeRequest, Scope},
};
use framepack_jobs::{JobId, Selector, StateName};

use crate::fixture::{Farm, entries};

impl Farm {
    /// A job that is in the queue when this returns.
    pub(crate) fn queue_job(&self, name: &str, yaml: String) -> JobId {
        let request = Request::Submit(SubmitRequest {
            yaml,
            folder: self.path("jobs"),
            stem: name.to_owned(),
            set: Vec::new(),
        });
        match self.client().call(&request) {
            Ok(Response::Submitted(submission)) => submission.job.id,
            other => panic!("{other:?}"),
        }
    }

    /// Cancels a job in whichever state it is.
    pub(crate) fn stop_job(&self, job: JobId) {
        let jobs = vec![job.to_string().parse::<Selector>().unwrap()];
        let request = Request::Change(ChangeRequest {
            scope: Scope::Jobs(jobs),
            change: Change::Cancel,
        });
        let answer = self.client().call(&request).unwrap();
        assert!(matches!(answer, Response::Changed { .. }), "{answer:?}");
    }

    /// Waits for a job's end.
    pub(crate) fn end_of(&self, job: JobId) -> StateName {
        self.wait_until(&format!("the end of job {job}"), |farm| {
            let job = farm.show(&job.to_string()).pop()?;
            job.is_finished().then(|| job.state.name())
        })
    }

    /// Files that only a later run would need go once the end is durable.
    pub(crate) fn wait_until_nothing_is_left_of(&self, job: JobId) {
        self.wait_until(&format!("nothing is left of job {job}"), |farm| {
            leftovers(farm, job).is_empty().then_some(())
        });
    }
}

/// Files of a job that nobody needs once it was cancelled.
fn leftovers(farm: &Farm, job: JobId) -> Vec<String> {
    let mut left = Vec::new();
    collect(&farm.path(format!("state/work/{job}")), &mut left);
    left.retain(|path| path.contains("checkpoint") || path.contains(".part"));
    left
}

fn collect(folder: &Path, files: &mut Vec<String>) {
    for path in entries(folder) {
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path.display().to_string());
        }
    }
}

/// A generator of moments; its seed is printed, and taken from `FRAMEPACKD_TEST_SEED` to repeat them.
pub(crate) struct Moments(u64);

impl Moments {
    pub(crate) fn new() -> Self {
        let given = env::var("FRAMEPACKD_TEST_SEED").ok();
        let seed = given.map_or_else(
            || {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                now.as_nanos() as u64
            },
            |seed| seed.parse().unwrap(),
        );
        eprintln!("FRAMEPACKD_TEST_SEED={seed}");
        Self(seed | 1)
    }

    /// A time below `most` (xorshift64).
    pub(crate) fn below(&mut self, most: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_nanos(self.0 % most.as_nanos() as u64)
    }
}
