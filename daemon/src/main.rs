//! `framepackd --config FILE`: runs in the foreground, logs to the journal or to stderr, stops cleanly on SIGTERM and
//! SIGINT. `framepackd state …` manages the job store while no daemon runs, `framepackd
//! config …` reads the configuration.

use std::{
    fs,
    future::pending,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use framepack_config::Loaded;
use framepack_ipc::{ErrorBody, ErrorEnvelope, Exit};
use framepack_jobs::{
    Code,
    settings::{Origin, described, select},
};
use framepack_yaml::{Place, decode, locate};
use framepackd::{ConfigSource, Owner, StartError, StateAction};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};

/// Where an installation has it.
const DEFAULT_CONFIG: &str = "/etc/framepackd/framepackd.yaml";

/// Time for the last threads to end.
const THREADS_GRACE: Duration = Duration::from_secs(1);

/// Renders FramePack videos from job files dropped into a folder.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Configuration file (YAML).
    #[arg(long, value_name = "FILE", global = true, default_value = DEFAULT_CONFIG)]
    config: PathBuf,

    /// Check that the configuration is valid, and exit.
    #[arg(long)]
    check_config: bool,

    /// Stop when standard input is closed, as `framepackctl run` starts it; after the line `finish` on it, when no job is
    /// left.
    #[arg(long)]
    owned: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check or print the configuration (file and environment) without starting.
    Config {
        #[command(subcommand)]
        action: ConfigAction,
    },
    /// Check, repair, export or import the job store while no daemon runs; otherwise, use `framepackctl state`. Exit
    /// codes are those of framepackctl.
    State {
        #[command(subcommand)]
        action: StateAction,
    },
    /// Answer what the daemon asks of NVIDIA's management library.
    #[command(hide = true)]
    Gpus,
}

#[derive(Debug, Subcommand)]
enum ConfigAction {
    /// Check that the configuration is valid, or list every mistake and where it is
    Check,
    /// Print every setting, one section, or one key
    Show {
        /// Also print where each value comes from
        #[arg(long)]
        origin: bool,
        /// Print what a profile or preset sets, beside what the Python application has for it
        #[arg(long, value_name = "NAME", conflicts_with_all = ["origin", "key"])]
        profile: Option<String>,
        /// A key (`idle.warm_after_secs`) or a section (`idle`)
        key: Option<String>,
    },
    /// Print the configuration that a start line of the Python application means, with a comment for each name
    ImportEnv {
        /// Import the start line on this line of the script, also if it is commented out; default: the first one
        #[arg(long, value_name = "N")]
        line: Option<usize>,
        /// The script, as in `start.sh`; - is standard input
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match runtime() {
        Ok(runtime) => {
            let ended = runtime.block_on(carry_out(&cli));
            // A thread that waits for a share or a directory service is not waited for.
            runtime.shutdown_timeout(THREADS_GRACE);
            ended
        }
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(exit) => exit.into(),
        // The reader of our output has closed it.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let error = error_body(&error);
            let exit = match cli.command {
                Some(_) => error.class.into(),
                None => Exit::Failure,
            };
            // Nothing is left to do when stderr is gone.
            let _ = ErrorEnvelope::from(error).tell(&mut io::stderr());
            exit.into()
        }
    }
}

/// Two threads, however many processors there are: nothing here computes, and each has a stack and a heap of its own.
fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

async fn carry_out(cli: &Cli) -> Result<Exit> {
    match &cli.command {
        Some(Command::Config { action }) => config(cli, action),
        Some(Command::State { action }) => state(cli, action).await,
        Some(Command::Gpus) => {
            framepackd::report_gpus(io::stdin().lock(), io::stdout().lock())?;
            Ok(Exit::Ok)
        }
        None => run(cli).await.map(|()| Exit::Ok),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The error with its code and what to do about it.
fn error_body(error: &anyhow::Error) -> ErrorBody {
    match (error.downcast_ref::<StartError>(), error.downcast_ref()) {
        (Some(error), _) => error.into(),
        (None, Some(error)) => ErrorBody::clone(error),
        (None, None) => ErrorBody::new(Code::INTERNAL, format!("{error:#}")),
    }
}

async fn run(cli: &Cli) -> Result<()> {
    let source = source(cli)?;
    let loaded = source.read()?;
    if cli.check_config {
        return say_valid(cli, &loaded);
    }
    framepackd::start_log(&loaded.config.paths.state);
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let owner = cli.owned.then(Owner::on_stdin);
    let gone = owner.clone();
    let gone = async move {
        match gone {
            Some(owner) => owner.gone().await,
            None => pending().await,
        }
    };
    let closed = terminal_closed()?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = gone => {}
            () = closed => {}
        }
    };
    framepackd::run((loaded, source), stop, owner).await
}

/// Resolves when the terminal that this process was started in is gone: SIGHUP then says that, and not that the
/// configuration is to be read again. Never resolves without one.
fn terminal_closed() -> Result<impl Future<Output = ()>> {
    let is_on_terminal = io::stdin().is_terminal();
    let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    Ok(async move {
        if is_on_terminal {
            hangup.recv().await;
        } else {
            pending::<()>().await;
        }
    })
}

async fn state(cli: &Cli, action: &StateAction) -> Result<Exit> {
    let (lines, exit) = framepackd::state(&load(cli)?.config, action).await?;
    let mut stdout = io::stdout().lock();
    for line in lines {
        writeln!(stdout, "{line}")?;
    }
    Ok(exit)
}

/// `framepackd config …`
fn config(cli: &Cli, action: &ConfigAction) -> Result<Exit> {
    match action {
        ConfigAction::ImportEnv { file, line } => {
            let imported = framepackd::import_env(file, *line)?;
            write!(io::stdout(), "{imported}")?;
        }
        ConfigAction::Check => say_valid(cli, &load(cli)?)?,
        ConfigAction::Show {
            profile: Some(name),
            ..
        } => {
            let text = described(
                name,
                &load(cli).map_or_else(|_| Vec::new(), |read| read.settings),
            );
            let text = text.map_err(ErrorBody::from)?;
            write!(io::stdout(), "{text}")?;
        }
        ConfigAction::Show { origin, key, .. } => {
            let settings = load(cli)?.settings;
            let settings = select(settings, key.as_deref()).map_err(ErrorBody::from)?;
            // For the lines of keys; a file that is gone by now has none.
            let bytes = fs::read(&cli.config).unwrap_or_default();
            let text = decode(&bytes).unwrap_or_default();
            let mut stdout = io::stdout().lock();
            for setting in &settings {
                if *origin {
                    let origin = place(&cli.config, &text, &setting.origin);
                    writeln!(stdout, "{}", setting.with_place(&origin))?;
                } else {
                    writeln!(stdout, "{}", setting.with_state())?;
                }
            }
            if let Some(remark) = framepackd::unknown_lacks(&settings) {
                writeln!(stdout, "# {remark}")?;
            }
        }
    }
    Ok(Exit::Ok)
}

fn say_valid(cli: &Cli, loaded: &Loaded) -> Result<()> {
    for notice in &loaded.notices {
        writeln!(io::stderr(), "notice: {notice}")?;
    }
    Ok(writeln!(io::stdout(), "{}: valid", cli.config.display())?)
}

/// Where a setting comes from, with its line in the file's text.
fn place(file: &Path, text: &str, origin: &Origin) -> String {
    match origin {
        Origin::File { key } => match locate(text, key, Place::Key) {
            Some(at) => format!("{}:{}", file.display(), at.line),
            None => file.display().to_string(),
        },
        other => other.to_string(),
    }
}

fn load(cli: &Cli) -> Result<Loaded> {
    Ok(source(cli)?.read()?)
}

fn source(cli: &Cli) -> Result<ConfigSource> {
    ConfigSource::new(cli.config.clone()).context("finding the working directory")
}
