use tch::{Device, Kind};

use super::*;

fn section(number: u32, checkpoint: &str) -> DecodedSection<'_> {
    DecodedSection { number, checkpoint }
}

fn checkpoints() -> [String; 3] {
    ["a", "b", "c"].map(str::to_owned)
}

/// The frames of three sections, each a byte.
fn kept(folder: &Path, order: SectionOrder) -> KeptFrames {
    let mut kept = KeptFrames::new(folder, order);
    for (number, checkpoint) in (1..).zip(&checkpoints()) {
        let of = section(number, checkpoint);
        kept.save(of, &[number as u8], &Provenance::on_cpu(Kind::Float, 0))
            .unwrap();
    }
    kept
}

/// How many sections a next run finds.
fn found(folder: &Path) -> u32 {
    let mut next = KeptFrames::new(folder, SectionOrder::Forward);
    let provenance = next.find(&checkpoints());
    assert_eq!(provenance.len() as u32, next.sections());
    next.sections()
}

#[test]
fn a_next_run_has_them_in_the_order_of_time() {
    for (order, expected) in [
        (SectionOrder::Forward, [1, 2, 3]),
        (SectionOrder::Backward, [3, 2, 1]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        kept(folder.path(), order);
        let mut next = KeptFrames::new(folder.path(), order);
        assert_eq!(next.find(&checkpoints()).len(), 3);
        let read: Result<Vec<_>, _> = next.files().map(|file| file.read()).collect();
        assert_eq!(read.unwrap().concat(), expected, "{order:?}");
    }
}

#[test]
fn what_is_damaged_missing_or_of_other_latents_is_decoded_again() {
    let folder = tempfile::tempdir().unwrap();
    let kept = kept(folder.path(), SectionOrder::Forward);
    let path = kept.path(2);
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let other_version = seal("something else", &Tensors::new()).unwrap().0;
    for bytes in [
        flipped,
        whole[..whole.len() - 1].to_vec(),
        vec![],
        other_version,
    ] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(found(folder.path()), 1);
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(found(folder.path()), 1);
    fs::write(&path, &whole).unwrap();
    assert_eq!(found(folder.path()), 3);
    let mut next = KeptFrames::new(folder.path(), SectionOrder::Forward);
    next.find(&["a", "sampled again", "c"].map(str::to_owned));
    assert_eq!(next.sections(), 1);
    fs::rename(kept.path(3), &path).unwrap();
    assert_eq!(found(folder.path()), 1, "frames of another section");
}

#[test]
fn a_piece_is_used_by_whoever_would_decode_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let kept = KeptFrames::new(folder.path(), SectionOrder::Backward);
    let frames = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([1, 3, 2, 1, 1]);
    let now = Provenance::on_cpu(Kind::Float, 0);
    kept.save_piece(section(1, "a"), &(3..8), (&frames, &now))
        .unwrap();
    for (of, piece, provenance, is_used) in [
        (
            section(1, "a"),
            3..8,
            Provenance::on_cpu(Kind::Float, 0),
            true,
        ),
        (
            section(1, "a"),
            3..8,
            Provenance::on_cpu(Kind::Float, 1),
            true,
        ),
        (
            section(1, "a"),
            3..8,
            Provenance::on_cpu(Kind::Half, 0),
            false,
        ),
        (
            section(1, "a"),
            3..7,
            Provenance::on_cpu(Kind::Float, 0),
            false,
        ),
        (
            section(1, "b"),
            3..8,
            Provenance::on_cpu(Kind::Float, 0),
            false,
        ),
        (
            section(2, "a"),
            3..8,
            Provenance::on_cpu(Kind::Float, 0),
            false,
        ),
    ] {
        let found = kept.piece(of, &piece, &provenance);
        let expected = is_used.then(|| frames.shallow_clone());
        assert_eq!(found, expected, "{of:?} {piece:?} {provenance:?}");
    }
}

/// The next section fades into the newest finished one, whose pieces have to stay for that.
#[test]
fn pieces_go_when_the_section_after_theirs_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = KeptFrames::new(folder.path(), SectionOrder::Backward);
    let now = Provenance::on_cpu(Kind::Float, 0);
    let frames = Tensor::zeros([1], (Kind::Float, Device::Cpu));
    let has = |kept: &KeptFrames, number: u32, checkpoint: &str| {
        kept.piece(section(number, checkpoint), &(6..9), &now)
            .is_some()
    };
    kept.save_piece(section(1, "a"), &(6..9), (&frames, &now))
        .unwrap();
    kept.save(section(1, "a"), &[1], &now).unwrap();
    assert!(has(&kept, 1, "a"));
    kept.save_piece(section(2, "b"), &(6..9), (&frames, &now))
        .unwrap();
    kept.save(section(2, "b"), &[2], &now).unwrap();
    assert_eq!([has(&kept, 1, "a"), has(&kept, 2, "b")], [false, true]);
    kept.remove();
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_follower_has_each_section_once_it_is_kept_if_the_first_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let now = Provenance::on_cpu(Kind::Float, 0);
    let [first, second, _] = checkpoints();
    let mut kept = KeptFrames::new(folder.path(), SectionOrder::Forward);
    kept.save(section(1, &first), &[1], &now).unwrap();
    let followed = kept.follow().unwrap();
    let next = || followed.try_recv().ok().map(|file| file.read().unwrap());
    assert_eq!((next(), next()), (Some(vec![1]), None));
    kept.save(section(2, &second), &[2], &now).unwrap();
    assert_eq!((next(), next()), (Some(vec![2]), None));
    kept.end_follow();
    assert!(followed.recv().is_err(), "no more come");

    let mut backward = KeptFrames::new(folder.path(), SectionOrder::Backward);
    assert!(backward.follow().is_none());
}
