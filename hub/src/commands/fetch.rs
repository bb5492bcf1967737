//! `fetch`: what is missing of the models, from the Hub.
//!
//! - `dry_run`: what it would fetch

mod dry_run;

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU64},
};

use framepack_bundle::hub_commit;
use framepack_ipc::ErrorBody;
use serde::Serialize;

use super::{advice, ready};
use crate::{
    api::{Client, Listing, offline},
    catalog::Selection,
    cli,
    environment::Environment,
    failure::Failure,
    fetch::{
        Busy, Fetch, FetchError, Planned, Progress, Stop, Taken, check_room, each, plan, taken,
    },
    manifest,
    output::{Output, count, size, tell},
    target::{Target, is_unwritable},
};

/// What a fetch came to.
#[derive(Debug, Serialize)]
struct Done {
    folder: String,
    files: usize,
    bytes: u64,
    fetched_bytes: u64,
    /// What was there in another form than the Hub's, as imported files, and is not compared with it.
    not_compared: Vec<String>,
    /// The lines of the daemon's configuration.
    configuration: String,
}

pub(super) fn run(
    args: &cli::Fetch,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let target = super::folder::target(args.to.as_deref(), environment)?;
    if environment.is_offline {
        return without_hub(args, (&target, environment), output);
    }
    let client = Client::new(environment, args.limits())?;
    let listings = listings(&client, args)?;
    let taken = taken(&target, &listings);
    let cache = environment.cache.clone().map(Target::HubCache);
    let cache = cache.as_ref().unwrap_or(&target);
    let mut planned = plan(&target, cache, &listings, &taken);
    licences(&listings);
    for Taken { path, .. } in &taken {
        tell(&format!("{}: taken as it is, not fetched", path.display()));
    }
    if args.dry_run {
        return dry_run::show(dry_run::planned(&planned), &target, output);
    }
    let places = planned.iter().try_for_each(Planned::check_place);
    places.map_err(failed)?;
    let missing_bytes = planned.iter().map(Planned::missing_bytes).sum();
    check_room(target.root(), missing_bytes).map_err(failed)?;
    // A large file that begins last would be fetched alone.
    planned.sort_by_key(|planned| std::cmp::Reverse(planned.file.bytes));
    let progress = Progress::of(&planned);
    let stop = Stop::default();
    let fetch = Fetch {
        client: &client,
        target: &target,
        progress: &progress,
        stop: &stop,
        busy: Busy::default(),
        noting: Mutex::default(),
        came_bytes: AtomicU64::new(0),
        is_warned: AtomicBool::new(false),
    };
    let fetched = each(args.jobs, &planned, &stop, |planned| fetch.file(planned));
    progress.finish();
    fetched.map_err(failed)?;
    for listing in &listings {
        settle(&target, listing)?;
    }
    finish(
        args.models,
        (&target, environment),
        (&planned, &taken, fetch.came_bytes.into_inner()),
        output,
    )
}

/// All files of a listing are there: its commit is the one that counts.
fn settle(target: &Target, listing: &Listing) -> Result<(), Failure> {
    let name = listing.repository.name;
    let folder = target.repository(name);
    let settled = manifest::move_on(target, listing);
    match settled.and_then(|()| target.refer(name, &listing.commit)) {
        // Nothing has to be written where it counts already.
        Err(error)
            if is_unwritable(&error)
                && hub_commit(&folder).is_none_or(|it| it == listing.commit) =>
        {
            Ok(())
        }
        settled => settled.map_err(|error| Failure::folder(&folder, &error)),
    }
}

/// Asks the Hub what it has.
fn listings(client: &Client, args: &cli::Fetch) -> Result<Vec<Listing>, Failure> {
    let repositories = args.models.repositories().into_iter();
    let listings: Result<_, _> = repositories
        .map(|repository| Listing::of(client, repository))
        .collect();
    listings.map_err(|error| ErrorBody::from(error).into())
}

/// On standard error, so that they are said beside JSON, too.
fn licences(listings: &[Listing]) {
    tell("These models have licences of their own; who fetches them accepts them:");
    for listing in listings {
        let licence = &listing.licence;
        let (name, bytes) = (listing.repository.name, size(listing.bytes()));
        tell(&format!("  {name} ({bytes}): {}", licence.name));
        tell(&format!("    {}", licence.note));
        tell(&format!("    {}", licence.link));
    }
}

fn failed(error: FetchError) -> Failure {
    ErrorBody::from(error).into()
}

/// Looks at the result as the daemon will, and says how to use it.
fn finish(
    models: Selection,
    (target, environment): (&Target, &Environment),
    (planned, taken, fetched_bytes): (&[Planned<'_>], &[Taken], u64),
    output: &Output,
) -> Result<(), Failure> {
    let root = target.root();
    let lacking = ready::lacking(root, models.models());
    let command = advice::fetch(models, target, environment);
    if let Some(failure) = Failure::of(advice::errors(&lacking, target, &command)) {
        return Err(failure);
    }
    let done = Done {
        folder: root.display().to_string(),
        files: planned.len(),
        bytes: planned.iter().map(|planned| planned.file.bytes).sum(),
        fetched_bytes,
        not_compared: taken
            .iter()
            .map(|it| it.path.display().to_string())
            .collect(),
        configuration: ready::configuration(root),
    };
    let text = |done: &[Done]| {
        let lines = done.iter().map(|it| {
            let (folder, files, bytes) = (&it.folder, it.files, size(it.bytes));
            let configuration = &it.configuration;
            let has = match files {
                0 => "has all parts; nothing was compared with the Hub".to_owned(),
                _ => format!("has {} ({bytes}), all checked", count(files as u64, "file")),
            };
            let taken = it.not_compared.iter();
            let taken = taken.map(|path| format!("{path} is not compared with the Hub\n"));
            let taken = taken.collect::<String>();
            format!("{taken}{folder} {has}. In the daemon's configuration:\n{configuration}\n")
        });
        lines.collect()
    };
    Ok(output.records("ModelFetch", vec![done], text)?)
}

/// What is there has to do.
fn without_hub(
    args: &cli::Fetch,
    (target, environment): (&Target, &Environment),
    output: &Output,
) -> Result<(), Failure> {
    let (root, models) = (target.root(), args.models);
    if let Some(first) = ready::lacking(root, models.models()).first() {
        return Err(offline(&first.message));
    }
    if args.dry_run {
        return dry_run::show(dry_run::installed(target, models), target, output);
    }
    for repository in models.repositories() {
        let folder = target.repository(repository.name);
        if let Some(commit) = hub_commit(&folder) {
            let referred = target.refer(repository.name, &commit);
            referred.map_err(|error| Failure::folder(&folder, &error))?;
        }
    }
    finish(models, (target, environment), (&[], &[], 0), output)
}
