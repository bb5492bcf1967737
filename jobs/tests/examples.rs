//! Every example that ships is a valid job without warnings, and its image is there.

use std::{fs, path::Path};

use framepack_jobs::{JobSpec, Surroundings, settings::Farm};

#[test]
fn examples_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut examples = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|suffix| suffix != "yaml") {
            continue;
        }
        examples += 1;
        let text = fs::read_to_string(&path).unwrap();
        let surroundings = Surroundings {
            file_stem: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            bundle_latent_window: 9,
            farm: Farm::default(),
        };
        let job = JobSpec::parse(&text)
            .and_then(|spec| spec.validate(&surroundings))
            .unwrap_or_else(|problems| panic!("{}:\n{problems}", path.display()));
        assert_eq!(job.warnings, Vec::<String>::new(), "{}", path.display());
        assert!(
            folder.join(&job.spec.start.image).is_file(),
            "{}",
            path.display()
        );
    }
    assert!(examples > 0);
}
