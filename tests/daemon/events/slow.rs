//! A reader that does not read.

use framepack_ipc::{
    control::{Request, Response, Stream},
    event::{EventsRequest, Since},
    queue::{Change, ChangeRequest, Scope},
};

use super::names;
use crate::{client::assert_code, fixture::Farm};

/// More of them than fit into the socket's buffers.
const TIMES: usize = 300;

#[test]
fn a_slow_reader_holds_up_nobody_and_has_everything_in_the_end() {
    let farm = Farm::new();
    // So that the job does not begin in between.
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("it is there", |farm| farm.show("cat").pop());
    assert_code(&farm.ctl(&["hold", "cat"]), 0);
    let begin = farm.end_of_events();
    let mut slow = farm.client();
    let request = EventsRequest {
        since: Some(Since::Cursor(begin.clone())),
        follow: true,
        jobs: vec!["cat".parse().unwrap()],
        ..EventsRequest::default()
    };
    let mut answer = slow
        .call(&Request::Stream(Stream::EventLog(request)))
        .unwrap();
    let mut client = farm.client();
    let mut change = |change| {
        let scope = Scope::Jobs(vec!["cat".parse().unwrap()]);
        let request = Request::Change(ChangeRequest { scope, change });
        assert!(matches!(
            client.call(&request),
            Ok(Response::Changed { .. })
        ));
    };
    for _ in 0..TIMES {
        change(Change::Release);
        change(Change::Hold);
    }
    let mut heard = Vec::new();
    while heard.len() < 2 * TIMES {
        let Response::Events { lines, .. } = &mut answer else {
            panic!("{answer:?}");
        };
        heard.append(lines);
        if heard.len() < 2 * TIMES {
            answer = slow.receive().unwrap();
        }
    }
    assert_eq!(heard, farm.events(&["--since", &begin, "--for", "cat"]));
    let expected = ["released", "held"].repeat(TIMES);
    assert_eq!(names(&heard), expected);
}
