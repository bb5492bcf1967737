//! `status` while the outputs hang.

use crate::fixture::Farm;

#[test]
fn what_a_share_told_last_is_told_while_it_hangs() {
    let mut farm = Farm::stopped();
    let [outputs] = farm.shares(["outputs"]);
    farm.start();
    let free = |farm: &Farm| farm.glance().disks[0].space;
    let before = farm.wait_until("it has told its space", |farm| free(farm));
    outputs.block();
    // It is asked again, and does not answer.
    let later = farm.wait_until("that is some time ago", |farm| {
        free(farm).filter(|space| space.age_secs > 3.0)
    });
    assert_eq!(later.total_bytes, before.total_bytes);
    outputs.unblock();
    farm.wait_until("it answers again", |farm| {
        free(farm).filter(|space| space.age_secs < 2.0)
    });
}
