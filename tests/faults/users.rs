//! What users do: files and submissions, cancelling and pausing, and how they see that all is over.

use std::{
    fs::{self, File},
    io::{self, Write},
    thread,
    time::Instant,
};

use framepack_ipc::{
    client::ClientError,
    control::{ListRequest, Request, Response, SubmitRequest},
    queue::{Change, ChangeRequest, Scope},
};
use framepack_jobs::{Job, JobState};

use crate::{
    schedule::Arrival,
    world::{DEADLINE, LOOK, World, append},
};

impl World {
    pub(crate) fn text(&self, job: usize) -> String {
        self.cast.job(job, &self.jobs[job])
    }

    /// A file arrives; on a full disk the user makes room first.
    pub(crate) fn arrive(&mut self, stem: &str, job: usize, arrival: Arrival) {
        let start = Instant::now();
        while let Err(error) = self.drop_file(stem, job, arrival) {
            assert!(start.elapsed() < DEADLINE, "{stem}: {error}");
            self.free_disk();
            thread::sleep(LOOK);
        }
        append(&self.root.join("dropped"), stem);
    }

    pub(crate) fn drop_file(&self, stem: &str, job: usize, arrival: Arrival) -> io::Result<()> {
        let target = self.farm().join("jobs").join(format!("{stem}.yaml"));
        let (text, beside) = (self.text(job), self.farm().join("written"));
        match arrival {
            Arrival::Renamed => {
                fs::write(&beside, text)?;
                fs::rename(beside, target)
            }
            Arrival::Linked => {
                fs::write(&beside, text)?;
                fs::hard_link(&beside, target)?;
                fs::remove_file(beside)
            }
            Arrival::Written => {
                // Within braces: a whole YAML document would be a job after `grace_secs`.
                let (first, second) = text.split_at(text.rfind('{').unwrap() + 1);
                let mut file = File::create(target)?;
                file.write_all(first.as_bytes())?;
                self.wait_for_lines(1);
                file.write_all(second.as_bytes())
            }
        }
    }

    /// Submits as users do, who try again when nobody answered them, and make room when they are told to.
    pub(crate) fn submit(&mut self, job: usize) {
        let request = Request::Submit(SubmitRequest {
            yaml: self.text(job),
            folder: self.farm().join("jobs"),
            stem: format!("job{job}"),
            set: Vec::new(),
        });
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            let answer = self.client().map(|mut client| client.call(&request));
            match answer {
                Some(Ok(Response::Submitted(submitted))) => {
                    return append(&self.root.join("promised"), &submitted.job.id.to_string());
                }
                Some(Err(ClientError::Refused(error))) => {
                    self.note(&format!(
                        "a submission was refused: {}",
                        error.error.message
                    ));
                    self.free_disk();
                }
                _ => self.continue_all(),
            }
            thread::sleep(LOOK);
            self.start();
        }
        panic!("nobody takes job {job}");
    }

    pub(crate) fn cancel(&mut self, job: usize) {
        self.change(Some(job), Change::Cancel);
    }

    pub(crate) fn change(&self, job: Option<usize>, change: Change) {
        let scope = job.map_or(Scope::All, |job| {
            Scope::Jobs(vec![format!("job{job}").parse().unwrap()])
        });
        if let Some(mut client) = self.client() {
            // Nobody may be there, and the job may not.
            let _ = client.call(&Request::Change(ChangeRequest { scope, change }));
        }
    }

    /// Lets go on whatever a user has paused.
    pub(crate) fn resume_all(&self) {
        let waits = |job: &Job| {
            job.runs.held || matches!(job.state, JobState::Running { paused: true, .. })
        };
        let listed = self.jobs_of_daemon().into_iter().flatten();
        let paused = listed.filter(|job| waits(job) && !job.is_finished());
        let selectors: Vec<_> = paused
            .map(|job| job.id.to_string().parse().unwrap())
            .collect();
        let mut scopes = vec![Scope::All];
        scopes.extend((!selectors.is_empty()).then_some(Scope::Jobs(selectors)));
        for scope in scopes {
            let resume = ChangeRequest {
                scope,
                change: Change::Resume,
            };
            if let Some(mut client) = self.client() {
                // Tried again until all is quiet.
                let _ = client.call(&Request::Change(resume));
            }
        }
    }

    pub(crate) fn jobs_of_daemon(&self) -> Option<Vec<Job>> {
        let list = Request::List(ListRequest::default());
        match self.client()?.call(&list) {
            Ok(Response::Jobs { jobs }) => Some(jobs),
            _ => None,
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        let jobs = self.farm().join("jobs");
        let is_job = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|s| s == "yaml");
        let waiting = fs::read_dir(&jobs)
            .unwrap()
            .flatten()
            .filter(is_job)
            .count();
        let claims = fs::read_dir(jobs.join("claimed"))
            .into_iter()
            .flatten()
            .flatten();
        let claimed: usize = claims
            .map(|daemon| fs::read_dir(daemon.path()).unwrap().count())
            .sum();
        if waiting + claimed > 0 {
            return false;
        }
        let jobs = self.jobs_of_daemon();
        jobs.is_some_and(|jobs| jobs.iter().all(Job::is_finished))
    }
}
