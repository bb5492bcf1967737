//! Any text is a job or a list of mistakes: no panic, and a job is the same when it is read again.

use framepack_jobs::{JobSpec, Surroundings, settings::Farm};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let parsed = JobSpec::parse(text);
    match &parsed {
        Err(problems) => assert!(problems.iter().next().is_some(), "refused without a reason"),
        Ok(spec) => {
            let surroundings = Surroundings {
                file_stem: "cat".to_owned(),
                bundle_latent_window: 9,
                farm: Farm::default(),
            };
            match spec.clone().validate(&surroundings) {
                Err(problems) => {
                    assert!(problems.iter().next().is_some(), "refused without a reason");
                }
                Ok(valid) => {
                    // Not every name is a file's: templates must not lead out of their folder.
                    assert!(!valid.name.contains('/'), "{}", valid.name);
                }
            }
        }
    }
    assert_eq!(format!("{parsed:?}"), format!("{:?}", JobSpec::parse(text)));
}
