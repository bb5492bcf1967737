//! What fuzzing has found and began with, replayed: `fuzz/` explains, and goes on from there.

use std::path::Path;

use crate::fixture::entries;

#[path = "../../fuzz/checks/codec.rs"]
mod codec;
#[path = "../../fuzz/checks/job.rs"]
mod job;

/// Runs a check on each file of a corpus.
fn replay(corpus: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(corpus);
    let files = entries(&folder);
    assert!(files.len() >= 5, "{} has too little", folder.display());
    for file in files {
        check(&std::fs::read(file).unwrap());
    }
}

#[test]
fn bytes_of_the_corpus_are_messages_or_errors_however_they_are_cut() {
    replay("codec", codec::check);
}

#[test]
fn texts_of_the_corpus_are_jobs_or_mistakes() {
    replay("job", job::check);
}
