//! The settings of a job that has not run yet, as `show` tells them.

use serde_json::json;

use crate::{client::assert_code, fixture::Farm};

#[test]
fn a_queued_job_shows_what_its_profile_presets_and_the_farm_set_for_it() {
    let mut farm = Farm::stopped();
    farm.configure("profile: bnb4\nguidance: {cfg: 2}\n");
    farm.start();
    let file = farm.write_job("cat.yaml", "a cat");
    let set = ["preset=hands", "seed=5", "not_before=2999-01-01T00:00:00Z"];
    let set = set.iter().flat_map(|set| ["--set", set]);
    let submit: Vec<&str> = ["submit", &file].into_iter().chain(set).collect();
    assert_code(&farm.ctl(&submit), 0);

    let output = farm.ctl(&["show", "cat"]);
    assert_code(&output, 0);
    let shown = String::from_utf8(output.stdout).unwrap();
    for line in [
        "seed: 5  # --set",
        "steps: 32  # preset hands",
        "vae.quality: \"on\"  # preset hands",
        "cache.kind: \"off\"  # preset hands",
        "guidance.cfg: 2.0  # configuration file",
        "memory.preserve_gb: 6.0  # profile bnb4",
        "storage.transformer: \"nf4\"  # profile bnb4; inactive: weights are not quantized yet",
        "vae.chunk: 2  # profile bnb4; inactive: `vae.quality: on` (from preset hands)",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let job = serde_json::to_value(farm.show("cat").pop().unwrap()).unwrap();
    let of = |key: &str| {
        let mut settings = job["settings"].as_array().unwrap().iter();
        settings.find(|setting| setting["key"] == key).cloned()
    };
    assert_eq!(
        of("seed"),
        Some(json!({"key": "seed", "value": 5, "origin": {"from": "set"}}))
    );
    assert_eq!(of("model"), None);
}
