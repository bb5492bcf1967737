//! Clients that are slow, half dead or greedy do not disturb the others.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    os::unix::net::UnixStream,
};

use framepack_ipc::control::{Request, Response, SubmitRequest};

use crate::fixture::{Farm, job};

const HELLO: &[u8] = b"{\"type\":\"hello\",\"protocol\":2,\"version\":\"test\"}\n";
const PING: &[u8] = b"{\"type\":\"ping\"}\n";

impl Farm {
    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.socket()).unwrap()
    }

    fn assert_answers(&self) {
        assert!(matches!(
            self.client().call(&Request::Ping),
            Ok(Response::Pong(_))
        ));
    }
}

/// Everything that the daemon says until it hangs up.
fn until_hung_up(mut stream: UnixStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_message_that_is_never_finished_ends_its_connection() {
    let farm = Farm::new();
    let mut half = farm.connect();
    half.write_all(&[HELLO, &PING[..7]].concat()).unwrap();
    let mut silent = farm.connect();
    silent.write_all(&HELLO[..9]).unwrap();
    let mute = farm.connect();
    farm.assert_answers();
    for stream in [half, silent, mute] {
        let said = until_hung_up(stream);
        assert!(said.contains("FP1015"), "{said}");
    }
    farm.assert_answers();
}

#[test]
fn a_connection_may_be_idle_between_messages() {
    let farm = Farm::new();
    let mut idle = farm.client();
    idle.call(&Request::Ping).unwrap();
    // Longer than a message may take: the connection that was opened later and says nothing is gone.
    assert!(until_hung_up(farm.connect()).contains("FP1015"));
    assert!(matches!(idle.call(&Request::Ping), Ok(Response::Pong(_))));
}

#[test]
fn messages_of_many_connections_come_in_pieces_and_mixed() {
    let farm = Farm::new();
    let mut streams: Vec<UnixStream> = (0..8).map(|_| farm.connect()).collect();
    let message = [HELLO, PING].concat();
    for byte in &message {
        for stream in &mut streams {
            stream.write_all(std::slice::from_ref(byte)).unwrap();
        }
    }
    for stream in streams {
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let said = until_hung_up(stream);
        let kinds: Vec<bool> = said.lines().map(|line| line.contains("pong")).collect();
        assert_eq!(kinds, [false, true], "{said}");
    }
}

#[test]
fn a_client_that_does_not_read_neither_blocks_the_daemon_nor_makes_it_swell() {
    let farm = Farm::new();
    farm.submit_gated();
    let mut client = farm.client();
    for n in 0..200 {
        let submit = Request::Submit(SubmitRequest {
            yaml: job(&format!("{n} {}", "x".repeat(4000))),
            folder: farm.path("jobs"),
            stem: "cat".to_owned(),
            set: Vec::new(),
        });
        assert!(matches!(client.call(&submit), Ok(Response::Submitted(_))));
    }
    let before_kib = resident_kib(&farm);
    let deaf: Vec<UnixStream> = (0..16)
        .map(|_| {
            let mut stream = farm.connect();
            stream.set_nonblocking(true).unwrap();
            // Each answer has more than 800 kB.
            let lists = b"{\"type\":\"list\"}\n".repeat(500);
            let _ = stream.write_all(&[HELLO, &lists].concat());
            stream
        })
        .collect();
    let mut most_kib = 0;
    for _ in 0..50 {
        farm.assert_answers();
        most_kib = most_kib.max(resident_kib(&farm));
    }
    let grown_mib = most_kib.saturating_sub(before_kib) >> 10;
    // 16 connections with 500 answers each would be 6 GiB.
    assert!(grown_mib < 64, "{grown_mib} MiB");
    for mut stream in deaf {
        farm.wait_until("it is hung up on", |_| {
            match stream.try_clone().unwrap().write(b"\n") {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Some(()),
                _ => None,
            }
        });
        // What it was sent before can still be read.
        stream.set_nonblocking(false).unwrap();
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received);
        assert!(received.starts_with(b"{\"type\":\"hello\""));
    }
    farm.assert_answers();
}

fn resident_kib(farm: &Farm) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", farm.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure.unwrap().parse().unwrap()
}
