//! The step cache, which several variables and flags choose together.

use super::{
    given::{Given, Switch},
    name::{Meaning, Rule},
    translated::{Meant, Translated},
};

const KIND: &str = "cache.kind";
const MAX_SKIP: &str = "cache.max_skip";

/// A cache: its variable, the flag that turns it off, and what it is called here. The first that is on wins, as there.
const CACHES: [(&str, &str, &str); 3] = [
    ("FRAMEPACK_ENABLE_FBCACHE", "--disable-fbcache", "fbcache"),
    (
        "FRAMEPACK_ENABLE_SIM_CACHE",
        "--disable-sim-cache",
        "simcache",
    ),
    ("FRAMEPACK_ENABLE_KV_CACHE", "--disable-kv-cache", "kv"),
];

/// What was asked for of step caches.
pub(super) fn choose(given: &[Given], translated: &mut Translated) {
    let mut disabled = Vec::new();
    for (variable, flag, kind) in CACHES {
        let enabled = Switch::of(given, variable);
        let flag = given.iter().find(|one| one.name.name == flag);
        if let Some(off) = enabled.off() {
            translated.note(
                off,
                "off: nothing to set; a cache.kind that is set elsewhere stays",
            );
        }
        match (enabled.on(), flag) {
            (Some(on), Some(flag)) => {
                translated.note(on, format!("{} turns it off again", flag.written));
                disabled.push(flag);
            }
            (None, Some(flag)) => disabled.push(flag),
            (Some(on), None) => enable(on, kind, translated),
            (None, None) => {}
        }
    }
    match translated.meant(KIND).map(Meant::variable) {
        None if disabled.is_empty() => {}
        None => translated.set(KIND, "off", &disabled),
        Some(on) => {
            for flag in disabled {
                translated.note(flag, format!("nothing to set: {on} chooses another cache"));
            }
        }
    }
    for one in given {
        number(one, translated);
    }
}

/// One cache at a time.
fn enable(on: &Given, kind: &str, translated: &mut Translated) {
    match translated.meant(KIND).map(Meant::variable) {
        None => translated.set(KIND, kind, &[on]),
        Some(first) => {
            let text = format!(
                "one step cache at a time: {first} is stronger, as in the Python application"
            );
            translated.note(on, text);
        }
    }
}

/// A number counts for its own cache.
fn number(given: &Given, translated: &mut Translated) {
    let Meaning::Sets {
        keys: [key],
        rule: Rule::OfCache(of),
        ..
    } = given.name.meaning
    else {
        return;
    };
    // A value that is wrong has been told.
    let Ok(value) = given.value() else { return };
    if *key == MAX_SKIP && value == "0" {
        translated.note(given, "nothing would be reused, which is `cache.kind: off`");
        return;
    }
    if translated.meant(KIND).is_some_and(|meant| meant.text == of) {
        translated.set(key, &value, &[given]);
    } else {
        translated.note(
            given,
            format!(
                "nothing to set: no variable of the application turns on {of}; its key is {key}"
            ),
        );
    }
}
