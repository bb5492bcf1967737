//! What jobs' videos look like, as the daemon tells.

use std::fs;

use framepack_ipc::{
    client::ClientError,
    control::{Request, Response},
    preview::{Preview, PreviewKind, PreviewRequest},
};
use framepack_jobs::{JobId, StateName};

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

impl Farm {
    /// The picture, or the code of why there is none.
    fn preview(&self, job: JobId, kind: PreviewKind) -> Result<Preview, String> {
        let request = Request::Preview(PreviewRequest { job, kind });
        match self.client().call(&request) {
            Ok(Response::Preview(preview)) => Ok(preview),
            Err(ClientError::Refused(refused)) => Err(refused.error.code.to_string()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn there_is_a_picture_while_a_job_runs_and_after_its_end() {
    let mut farm = Farm::new();
    let gate = farm.path("gate");
    let prompt = format!("wait {}", gate.display());
    let waits = farm.queue_job("waits", job(&prompt));
    farm.wait_until("it runs", |farm| {
        farm.show("waits")[0].is(StateName::Running).then_some(())
    });
    let code = |kind| farm.preview(waits, kind).unwrap_err();
    assert_eq!(PreviewKind::ALL.map(code), ["FP1025"; 2]);
    assert_eq!(
        farm.preview(JobId(9), PreviewKind::Latest).unwrap_err(),
        "FP1003"
    );
    fs::write(gate, "").unwrap();
    assert_eq!(farm.end_of(waits), StateName::Done);
    let kept = farm.path(format!("state/previews/{waits}.preview-strip.json"));
    farm.wait_until("its pictures are kept", |_| kept.is_file().then_some(()));
    farm.stop();
    fs::remove_dir_all(farm.path(format!("state/work/{waits}"))).unwrap();
    farm.start();
    let latest = farm.preview(waits, PreviewKind::Latest).unwrap();
    assert_eq!(latest.of, "section 2/2 step 3/3");
    let strip = farm.preview(waits, PreviewKind::Strip).unwrap();
    assert_eq!((strip.of.as_str(), strip.frames), ("video", 1));

    let file = farm.path("F.png");
    let out = farm.ctl(&["preview", "waits", "--out", file.to_str().unwrap()]);
    assert_code(&out, 0);
    assert!(fs::read(&file).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn pictures_of_jobs_that_are_unknown_go() {
    let mut farm = Farm::new();
    let known = farm.queue_job("known", job("a cat"));
    assert_eq!(farm.end_of(known), StateName::Done);
    let kept = |job: u64| farm.path(format!("state/previews/{job}.preview-latest.json"));
    let (known, unknown) = (kept(known.0), kept(99));
    farm.wait_until("its pictures are kept", |_| known.is_file().then_some(()));
    farm.stop();
    fs::copy(&known, &unknown).unwrap();
    farm.start();
    farm.wait_until("the other ones are gone", |_| {
        (!unknown.exists()).then_some(())
    });
    assert!(known.is_file());
}
