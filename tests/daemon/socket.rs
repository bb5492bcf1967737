//! The socket's commands, each answered from the same store as the folder.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use framepack_ipc::{
    client::{Client, ClientError},
    control::{
        ListRequest, MAX_REQUEST_BYTES, Request, Response, SelectRequest, Stream, Submission,
        SubmitOutcome, SubmitRequest, WorkerState,
    },
    queue::{Change, ChangeOutcome, ChangeRequest, Changed, Scope},
};
use framepack_jobs::{Job, StateName, Timestamp};

use crate::fixture::{Farm, job};

impl Farm {
    fn submit(&self, stem: &str, yaml: &str) -> Result<Submission, ClientError> {
        let request = Request::Submit(SubmitRequest {
            yaml: yaml.to_owned(),
            folder: self.path("jobs"),
            stem: stem.to_owned(),
            set: Vec::new(),
        });
        match self.client().call(&request)? {
            Response::Submitted(submission) => Ok(submission),
            other => panic!("{other:?}"),
        }
    }

    fn cancel(&self, selector: &str) -> Vec<Changed> {
        let request = Request::Change(ChangeRequest {
            scope: Scope::Jobs(vec![selector.parse().unwrap()]),
            change: Change::Cancel,
        });
        match self.client().call(&request).unwrap() {
            Response::Changed { jobs, .. } => jobs,
            other => panic!("{other:?}"),
        }
    }

    /// A job that runs until the file `gate` is there.
    pub(crate) fn submit_gated(&self) -> Job {
        let yaml = job(&format!("wait {}", self.path("gate").display()));
        let submitted = self.submit("gated", &yaml).unwrap().job;
        self.wait_until("it runs", |farm| {
            farm.job(&submitted)
                .filter(|job| job.is(StateName::Running))
        })
    }

    fn job(&self, job: &Job) -> Option<Job> {
        self.show(&job.id.to_string()).pop()
    }

    fn open_gate(&self) {
        fs::write(self.path("gate"), "").unwrap();
    }
}

fn events(selector: &str) -> Request {
    Request::Stream(Stream::Events(SelectRequest {
        jobs: vec![selector.parse().unwrap()],
    }))
}

fn watch(client: &mut Client, selector: &str) -> Vec<Job> {
    let mut seen = Vec::new();
    let mut answer = client.call(&events(selector)).unwrap();
    while let Response::Job(job) = answer {
        seen.push(*job);
        answer = client.receive().unwrap();
    }
    assert_eq!(answer, Response::End);
    seen
}

#[test]
fn a_submitted_job_is_watched_to_its_end() {
    let farm = Farm::new();
    let running = farm.submit_gated();
    let mut client = farm.client();
    let seen = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&mut client, "gated"));
        farm.open_gate();
        watcher.join().unwrap()
    });
    assert_eq!(seen[0].id, running.id);
    assert!(seen.last().unwrap().is(StateName::Done));
    assert_eq!(farm.outputs().len(), 1);
    // The connection is as good as new.
    assert!(matches!(client.call(&Request::Ping), Ok(Response::Pong(_))));
}

#[test]
fn submitting_checks_like_the_folder_does() {
    let farm = Farm::new();
    let code = |yaml: &str| match farm.submit("cat", yaml).unwrap_err() {
        ClientError::Refused(refused) => (refused.error.code, refused.more.len()),
        other => panic!("{other}"),
    };
    assert_eq!(
        code("api: framepack/v1\nsteps: 500\ncolour: red\n").1,
        1,
        "all mistakes at once"
    );
    assert_eq!(
        code("api: framepack/v1\nstart: {image: ../x.png}\n").0,
        "FP2201"
    );
    assert_eq!(
        code("api: framepack/v1\nstart: {image: gone.png}\n").0,
        "FP2301"
    );
    assert!(farm.show("@last").is_empty());
}

#[test]
fn a_submission_is_the_same_job_as_a_dropped_file() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.report("cat");
    let again = farm.submit("cat", &job("a cat")).unwrap();
    assert_eq!(
        (again.outcome, again.job.id.0),
        (SubmitOutcome::Duplicate, 1)
    );
    assert_eq!(farm.renders(), [1]);
}

#[test]
fn an_acknowledged_job_survives_a_kill() {
    let mut farm = Farm::new();
    for n in 0..10 {
        farm.submit("cat", &job(&format!("prompt {n}"))).unwrap();
    }
    farm.kill();
    farm.start();
    farm.wait_until("all are done", |farm| {
        (farm.show("@done").len() == 10).then_some(())
    });
    assert_eq!(farm.outputs().len(), 10);
}

#[test]
fn jobs_are_listed_by_state() {
    let farm = Farm::new();
    farm.submit_gated();
    farm.submit("dog", &job("a dog")).unwrap();
    let list = |states: &[StateName]| {
        let states = states.to_vec();
        match farm
            .client()
            .call(&Request::List(ListRequest {
                states,
                ..ListRequest::default()
            }))
            .unwrap()
        {
            Response::Jobs { jobs } => jobs.into_iter().map(|job| job.name).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(list(&[]), ["gated", "dog"]);
    assert_eq!(list(&[StateName::Queued]), ["dog"]);
    assert_eq!(list(&[StateName::Done]), Vec::<String>::new());
}

#[test]
fn jobs_are_listed_by_group_and_time() {
    let farm = Farm::new();
    farm.submit_gated();
    let of_group = format!("{}group: night\n", job("a dog"));
    farm.submit("dog", &of_group).unwrap();
    let list = |request: ListRequest| match farm.client().call(&Request::List(request)).unwrap() {
        Response::Jobs { jobs } => jobs.into_iter().map(|job| job.name).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let group = |group: &str| ListRequest {
        group: Some(group.to_owned()),
        ..ListRequest::default()
    };
    assert_eq!(list(group("night")), ["dog"]);
    assert_eq!(list(group("day")), Vec::<String>::new());
    let since = |ago_secs| {
        let since = Timestamp::now().minus(Duration::from_secs(ago_secs));
        ListRequest {
            since: Some(since),
            ..ListRequest::default()
        }
    };
    assert_eq!(list(since(3600)), ["gated", "dog"]);
    assert_eq!(list(since(0)), Vec::<String>::new());
}

#[test]
fn a_queued_job_is_cancelled_at_once_and_a_running_one_at_its_next_step() {
    let farm = Farm::new();
    let running = farm.submit_gated();
    farm.drop_prompt("dog.yaml", "a dog");
    let queued = farm.wait_until("it is queued", |farm| farm.show("dog").pop());

    assert_eq!(farm.cancel("dog")[0].outcome, ChangeOutcome::Changed);
    assert_eq!(farm.report("dog").0, "failed");
    assert_eq!(farm.cancel("gated")[0].outcome, ChangeOutcome::Stopping);
    farm.wait_until("it has stopped", |farm| {
        farm.job(&running)
            .filter(|job| job.is(StateName::Cancelled))
    });
    assert_eq!(farm.cancel("dog")[0].outcome, ChangeOutcome::Refused);

    farm.submit("cat", &job("a cat")).unwrap();
    farm.wait_until("the next one is done", |farm| {
        farm.show("cat").pop().filter(|job| job.is(StateName::Done))
    });
    assert!(
        !farm.renders().contains(&queued.id.0),
        "a cancelled job never starts"
    );
    assert_eq!(farm.outputs().len(), 1);
}

#[test]
fn a_job_whose_worker_hears_nothing_is_cancelled_all_the_same() {
    let farm = Farm::new();
    farm.submit("deaf", &job("hang")).unwrap();
    farm.wait_until("it runs", |farm| {
        farm.show("deaf")
            .pop()
            .filter(|job| job.is(StateName::Running))
    });
    farm.cancel("deaf");
    farm.wait_until("it has stopped", |farm| {
        farm.show("deaf")
            .pop()
            .filter(|job| job.is(StateName::Cancelled))
    });
    farm.submit("cat", &job("a cat")).unwrap();
    farm.wait_until("the next one is done", |farm| {
        farm.show("cat").pop().filter(|job| job.is(StateName::Done))
    });
}

#[test]
fn a_request_to_cancel_outlives_the_daemon() {
    let mut farm = Farm::new();
    farm.submit("deaf", &job("hang")).unwrap();
    farm.wait_until("it runs", |farm| {
        farm.show("deaf")
            .pop()
            .filter(|job| job.is(StateName::Running))
    });
    farm.cancel("deaf");
    farm.kill();
    farm.start();
    assert!(farm.show("deaf")[0].is(StateName::Cancelled));
}

#[test]
fn ping_tells_of_the_workers() {
    let farm = Farm::new();
    let status = |farm: &Farm| match farm.client().call(&Request::Ping).unwrap() {
        Response::Pong(status) => status,
        other => panic!("{other:?}"),
    };
    farm.wait_until("the worker is idle", |farm| {
        (status(farm).workers[0].state == WorkerState::Idle).then_some(())
    });
    farm.submit_gated();
    let busy = status(&farm);
    assert_eq!((busy.queued, busy.running), (0, 1));
    assert_eq!(busy.workers[0].state, WorkerState::Busy);
    assert_eq!(busy.workers[0].device_name.as_deref(), Some("a fake"));
}

/// What the daemon says to these bytes before it hangs up or we do.
fn talk(farm: &Farm, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(farm.socket()).unwrap();
    // The daemon may hang up before it has read all of it.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn messages_that_are_none_get_an_error_and_harm_nobody() {
    let farm = Farm::new();
    let hello = "{\"type\":\"hello\",\"protocol\":2,\"version\":\"test\"}\n";
    assert!(talk(&farm, b"").is_empty());
    assert!(
        talk(&farm, b"{\"type\":\"ping\"}\n").contains("FP1006"),
        "no hello"
    );
    assert!(talk(&farm, &hello.replace(":2,", ":99,").into_bytes()).contains("speaks protocol 99"));
    let of_before = hello.replace(":2,", ":1,") + "{\"type\":\"cancel\",\"jobs\":[\"@last\"]}\n";
    let refused = talk(&farm, of_before.as_bytes());
    assert!(
        refused.contains("FP1006") && refused.contains("speaks protocol 1, framepackd"),
        "{refused}"
    );
    assert!(talk(&farm, b"\xff\xfe\n").contains("FP1007"));
    let garbage_between = talk(
        &farm,
        format!("{hello}what?\n{{\"type\":\"ping\"}}\n").as_bytes(),
    );
    assert!(
        garbage_between.contains("FP1007") && garbage_between.contains("pong"),
        "{garbage_between}"
    );
    let huge = vec![b'x'; MAX_REQUEST_BYTES + 2];
    assert!(talk(&farm, &[hello.as_bytes(), &huge].concat()).contains("a message of more than"));
    assert!(matches!(
        farm.client().call(&Request::Ping),
        Ok(Response::Pong(_))
    ));
}
