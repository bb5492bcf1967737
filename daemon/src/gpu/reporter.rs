//! The child process that asks the library, from the daemon's side.

use std::{fs, io, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::report::{Answer, Question};

/// This program, even where an update has replaced its file.
const SELF: &str = "/proc/self/exe";
/// How long an answer may take. A driver that has to wake a GPU takes seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// The child process; killed when it is dropped.
#[derive(Debug)]
pub(super) struct Reporter {
    _process: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Reporter {
    pub(super) fn start() -> io::Result<Self> {
        let mut process = Command::new(SELF)
            .arg0("framepackd")
            .arg("gpus")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let no_pipe = || io::Error::other("a child without pipes");
        let questions = process.stdin.take().ok_or_else(no_pipe)?;
        let answers = process.stdout.take().ok_or_else(no_pipe)?;
        Ok(Self {
            _process: process,
            questions,
            answers: BufReader::new(answers).lines(),
        })
    }

    /// After an error it is of no use any more.
    pub(super) async fn ask(&mut self) -> io::Result<Answer> {
        let mut question = serde_json::to_vec(&Question { ours: ours() })?;
        question.push(b'\n');
        let asked = async {
            self.questions.write_all(&question).await?;
            self.answers.next_line().await
        };
        let line = timeout(PATIENCE, asked)
            .await
            .map_err(|_| io::Error::other("NVIDIA's driver does not answer"))??;
        let line = line.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// The first namespace of processes: in another one, the driver's numbers are not those that we see.
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

/// This process and its children, which are the workers; `None` where the driver numbers processes differently.
fn ours() -> Option<Vec<u32>> {
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    if namespace.as_os_str() != FIRST_NAMESPACE {
        return None;
    }
    let me = std::process::id();
    let mut pids = vec![me];
    for task in fs::read_dir("/proc/self/task").ok()?.flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        pids.extend(
            children
                .split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    Some(pids)
}
