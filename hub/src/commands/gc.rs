//! `gc`: what broken-off fetches left, and blobs of the Hub's cache that no snapshot refers to. Only FramePack's own
//! repositories are looked at, and nothing that a running fetch holds is touched.
//!
//! - `leftover`: what nothing needs, and how it is removed

use crate::{
    catalog::Selection,
    cli,
    environment::Environment,
    failure::Failure,
    output::{Output, size, table},
    target::Target,
};

mod leftover;

use leftover::{Kind, Leftover, leftovers};

pub(super) fn run(
    args: &cli::Gc,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let target = super::folder::existing(args.folder.as_deref(), environment)?;
    let mut gone = Vec::new();
    for repository in Selection::All.repositories() {
        for leftover in leftovers(&target, &repository) {
            let is_gone = if args.dry_run {
                leftover.is_free()
            } else {
                leftover.remove(&target, &repository)?
            };
            if is_gone {
                gone.push(leftover);
            }
        }
    }
    let text = |gone: &[Leftover]| {
        let cells = gone.iter().map(|it| {
            let kind = match it.kind {
                Kind::Part => "part",
                Kind::Unreferenced => "unreferenced",
            };
            [
                it.path.display().to_string(),
                size(it.bytes),
                kind.to_owned(),
            ]
        });
        let files = match gone {
            [] => String::new(),
            _ => table(["FILE", "SIZE", "WHAT"], cells),
        };
        let bytes = size(gone.iter().map(|it| it.bytes).sum());
        let verb = if args.dry_run {
            "would be freed"
        } else {
            "freed"
        };
        let root = target.root().display();
        if !has_ours(&target) {
            return format!("In {root}: nothing of FramePack's models\n");
        }
        format!("{files}In {root}: {bytes} {verb}\n")
    };
    Ok(output.records("ModelLeftover", gone, text)?)
}

/// Whether one of our repositories is there.
fn has_ours(target: &Target) -> bool {
    let mut repositories = Selection::All.repositories().into_iter();
    repositories.any(|repository| target.repository(repository.name).is_dir())
}
