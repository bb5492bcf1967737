//! Shares that hang, and come back.

use std::{sync::mpsc, thread, time::Instant};

use super::*;

fn lanes() -> Lanes {
    Lanes::new(Duration::from_millis(200))
}

fn silent(lanes: &Lanes) -> Vec<PathBuf> {
    lanes.silent().borrow().keys().cloned().collect()
}

#[tokio::test]
async fn a_share_that_hangs_holds_up_no_other_and_comes_back() {
    let lanes = lanes();
    let (slow, fast) = (Path::new("/slow"), Path::new("/fast"));
    let (release, held) = mpsc::channel::<()>();
    let lost = lanes.run(slow, move |_| held.recv()).await;
    assert_eq!(lost, Err(Silent { path: slow.into() }));
    assert_eq!(lanes.run(fast, |_| 1).await, Ok(1));
    assert_eq!(silent(&lanes), [slow]);
    let (posted, done) = oneshot::channel();
    let late = lanes.post(slow, move || posted.send(()).unwrap());
    late.done().await;
    let refused = lanes.run(slow, |_| unreachable!("it is known to hang"));
    assert!(refused.await.is_err());

    let mut changes = lanes.silent();
    drop(release);
    changes.wait_for(BTreeMap::is_empty).await.unwrap();
    done.await.unwrap();
    assert_eq!(lanes.run(slow, |_| 2).await, Ok(2));
}

#[tokio::test]
async fn work_that_gets_on_is_waited_for_and_so_is_what_comes_after_it() {
    let lanes = lanes();
    let path = Path::new("/slow");
    let long = lanes.run(path, |pulse| {
        let until = Instant::now() + Duration::from_millis(600);
        while Instant::now() < until {
            pulse.beat();
            thread::yield_now();
        }
        1
    });
    let (one, two) = tokio::join!(long, lanes.run(path, |_| 2));
    assert_eq!((one, two), (Ok(1), Ok(2)));
    assert!(silent(&lanes).is_empty());
}

#[test]
fn a_thread_of_its_own_is_stuck_when_it_tells_nothing() {
    let lanes = Lanes::new(Duration::ZERO);
    let pulse = lanes.guard(Path::new("/jobs"));
    assert!(Lanes::new(LIMIT).stuck().is_empty());
    pulse.beat();
    assert_eq!(lanes.stuck(), [Path::new("/jobs")]);
}

#[tokio::test]
async fn what_was_given_up_before_it_began_is_not_done() {
    let lanes = lanes();
    let path = Path::new("/slow");
    let (release, held) = mpsc::channel::<()>();
    let hung = lanes.run(path, move |_| held.recv());
    let queued = lanes.run(path, |_| unreachable!("nobody waits for it"));
    let (hung, queued) = tokio::join!(hung, queued);
    assert!(hung.is_err() && queued.is_err());
    drop(release);
    lanes.silent().wait_for(BTreeMap::is_empty).await.unwrap();
    assert_eq!(lanes.run(path, |_| 3).await, Ok(3));
}
