//! What happens at night: a farm to which random things happen keeps its word.
//!
//! A schedule (`schedule`) is made from a seed and played on a real daemon with fake workers (`world`). When all is over,
//! an independent checker (`checker`) looks at the event log and the disk. `FAULT_SCHEDULES` says how many schedules
//! are played, `FAULT_SEED` with which the first begins: a schedule that found a fault prints its seed.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod cast;
mod checker;
mod clock;
mod mounts;
#[path = "../preload.rs"]
mod preload;
mod processes;
mod random;
mod schedule;
mod users;
mod world;

use std::{
    env, fs, iter,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use tempfile::TempDir;

use self::{
    cast::{Cast, Made, Truth},
    checker::Evidence,
    mounts::mount_small_disk,
    schedule::Schedule,
    world::World,
};

const SCHEDULES: u64 = 150;
/// Those of them that are played on a disk that runs full.
const ON_A_SMALL_DISK: u64 = 20;
const SMALL_DISK_MIB: u64 = 256;
const REAL_SCHEDULES: u64 = 4;
const FAKE: (Cast, Truth) = (Cast::Fake, Truth::Chain);
/// Farms at the same time: most of the time they wait.
const AT_ONCE: usize = 4;
const REAL_AT_ONCE: usize = 2;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn every_accepted_job_ends_once_whatever_happens() {
    let first = number("FAULT_SEED", 1);
    let last = first + number("FAULT_SCHEDULES", SCHEDULES - ON_A_SMALL_DISK);
    let faults = play_all(first..last, AT_ONCE, |seed| {
        play(&FAKE, &Schedule::new(seed), |_| {})
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Plays a schedule of each seed, so many `at_once`; what was wrong with each.
fn play_all(
    seeds: Range<u64>,
    at_once: usize,
    play: impl Fn(u64) -> Option<String> + Sync,
) -> Vec<String> {
    let next = AtomicU64::new(seeds.start);
    let play_some = || -> Vec<String> {
        iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed))
            .take_while(|seed| *seed < seeds.end)
            .filter_map(&play)
            .collect()
    };
    thread::scope(|scope| {
        let farms: Vec<_> = (0..at_once).map(|_| scope.spawn(play_some)).collect();
        farms
            .into_iter()
            .flat_map(|farm| farm.join().unwrap())
            .collect()
    })
}

#[test]
fn a_full_disk_loses_nothing() {
    if !mounts::are_allowed() {
        return mounts::again_in_a_namespace("a_full_disk_loses_nothing");
    }
    let first = number("FAULT_SEED", 1);
    let seeds = first..first + number("FAULT_SCHEDULES", ON_A_SMALL_DISK);
    let on_a_small_disk = |seed| {
        play(&FAKE, &Schedule::on_a_small_disk(seed), |farm| {
            mount_small_disk(farm, SMALL_DISK_MIB);
        })
    };
    let faults: Vec<String> = seeds.filter_map(on_a_small_disk).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// With the real worker and the demo bundle: what comes out is what comes out of a run that nothing interrupts.
#[test]
fn real_videos_are_those_of_an_uninterrupted_run() {
    let first = number("FAULT_SEED", 1);
    let real = (Cast::Real, uninterrupted());
    let last = first + number("FAULT_REAL_SCHEDULES", REAL_SCHEDULES);
    let faults = play_all(first..last, REAL_AT_ONCE, |seed| {
        play(&real, &Schedule::of_real_work(seed), |_| {})
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What the jobs of `Schedule::of_real_work` make when they are left alone.
fn uninterrupted() -> Truth {
    let (dir, schedule) = (TempDir::new().unwrap(), Schedule::of_quiet_work());
    fs::create_dir(dir.path().join("farm")).unwrap();
    let mut world = World::new(dir.path(), Cast::Real, &schedule);
    schedule.acts.iter().for_each(|act| world.act(*act));
    world.heal();
    let evidence = Evidence::read(dir.path(), &Truth::Chain);
    let made = evidence.done().map(|(_, record)| {
        let video = Path::new(record["output"].as_str().unwrap());
        (record["seed"].as_u64().unwrap(), Made::of(record, video))
    });
    let made: std::collections::BTreeMap<_, _> = made.collect();
    assert_eq!(made.len(), schedule.jobs.len());
    Truth::Uninterrupted(made)
}

/// What was wrong with one schedule, if anything was. Its folder stays then.
fn play(
    (cast, truth): &(Cast, Truth),
    schedule: &Schedule,
    prepare: impl FnOnce(&Path),
) -> Option<String> {
    let dir = TempDir::with_prefix("framepackd-faults.").unwrap();
    let farm = dir.path().join("farm");
    fs::create_dir(&farm).unwrap();
    prepare(&farm);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(dir.path(), *cast, schedule);
        schedule.acts.iter().for_each(|act| world.act(*act));
        world.heal();
        Evidence::read(dir.path(), truth).faults()
    }));
    let faults = match outcome {
        Ok(faults) if faults.is_empty() => {
            mounts::unmount(&farm);
            return None;
        }
        Ok(faults) => faults,
        Err(panic) => format!("- {}\n", panic_text(&*panic)),
    };
    Some(format!(
        "FAULT_SEED={} FAULT_SCHEDULES=1 (see {}):\n{faults}{schedule:#?}",
        schedule.seed,
        dir.keep().display()
    ))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}
