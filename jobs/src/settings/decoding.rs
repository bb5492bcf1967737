//! Which of the VAE's settings count where they contradict each other.
//!
//! `vae.mode: reference` decodes without a chunk, a blend and quality; of the two, the stronger source wins, and the
//! reference where both are equally strong. Quality wins over any chunk and blend, whoever sets them.

use std::collections::BTreeMap;

use super::{
    origin::Origin,
    row::Row,
    strength::{Named, Strength},
    table::{VAE_BLEND, VAE_CHUNK, VAE_MODE, VAE_QUALITY},
    value::Value,
};

/// What the reference's tiles do without.
static ASKS: [&Row; 3] = [&VAE_QUALITY, &VAE_CHUNK, &VAE_BLEND];

/// Why settings of the VAE do nothing for a job, by their keys.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Overruled(BTreeMap<&'static str, String>);

/// A setting as somebody gave it.
struct Given {
    row: &'static Row,
    said: String,
    strength: Strength,
}

impl Overruled {
    /// Those of what is said: the value of a row, and who set it.
    pub(super) fn among(said: impl Fn(&'static Row) -> Option<(Value, Origin)>) -> Self {
        let named = Named::by(&said);
        let given = |row: &'static Row| {
            let (value, origin) = said(row).filter(|(value, _)| asks(row, value))?;
            Some(Given {
                row,
                said: format!("`{}` (from {origin})", written(row, &value)),
                strength: named.strength(&origin),
            })
        };
        let mode = given(&VAE_MODE);
        let weaker = |ask: &Given| {
            mode.as_ref()
                .is_some_and(|mode| ask.strength <= mode.strength)
        };
        let (without, standing): (Vec<_>, Vec<_>) =
            ASKS.into_iter().filter_map(given).partition(weaker);
        let mut overruled = Self::default();
        if let Some(mode) = &mode {
            overruled.all(&without, &format!("{} decodes without it", mode.said));
        }
        if let Some(strongest) = standing.iter().max_by_key(|ask| ask.strength) {
            let reason = format!("{} is stronger", strongest.said);
            overruled.all(mode.as_slice(), &reason);
        }
        if let Some((quality, others)) = standing.split_first()
            && quality.row == &VAE_QUALITY
        {
            let reason = format!(
                "{} decodes in larger tiles than any chunk, and fades as it needs",
                quality.said
            );
            overruled.all(others, &reason);
        }
        overruled
    }

    /// Why this setting does nothing, where another one overrules it.
    pub(super) fn reason(&self, row: &Row) -> Option<&str> {
        self.0.get(row.key).map(String::as_str)
    }

    fn all(&mut self, given: &[Given], reason: &str) {
        let rows = given.iter().map(|given| (given.row.key, reason.to_owned()));
        self.0.extend(rows);
    }
}

/// What a job that itself says all this asks for in vain: the rows of chunk, blend or quality beside
/// `vae.mode: reference`.
pub(crate) fn contradictions<'a>(
    said: impl Fn(&'static Row) -> Option<&'a Value>,
) -> Vec<(&'static Row, &'a Value)> {
    if !said(&VAE_MODE).is_some_and(|mode| asks(&VAE_MODE, mode)) {
        return Vec::new();
    }
    let given = |row: &'static Row| Some((row, said(row).filter(|value| asks(row, value))?));
    ASKS.into_iter().filter_map(given).collect()
}

/// `vae.chunk: 2`
pub(crate) fn written(row: &Row, value: &Value) -> String {
    match value {
        Value::Text(word) => format!("{}: {word}", row.key),
        number => format!("{}: {number}", row.key),
    }
}

/// Whether a value asks for one of the two: the reference's tiles, or what they do without.
fn asks(row: &Row, value: &Value) -> bool {
    match row.key {
        key if key == VAE_MODE.key => value.text() == Some("reference"),
        key if key == VAE_QUALITY.key => value.text() == Some("on"),
        _ => value.number().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::table::{PRESET, PROFILE};

    /// Keys with values and where they come from, as in `vae.chunk=2 @job`.
    fn overruled(said: &[(&str, &str)]) -> BTreeMap<&'static str, String> {
        let origin = |from: &str| match from.split_once(' ') {
            Some(("preset", name)) => Origin::Preset {
                name: name.to_owned(),
            },
            Some((_, name)) => Origin::Profile {
                name: name.to_owned(),
            },
            None => match from {
                "set" => Origin::Set,
                "job" => Origin::Job,
                "environment" => Origin::Environment {
                    variable: "V".to_owned(),
                },
                _ => Origin::File {
                    key: "k".to_owned(),
                },
            },
        };
        let rows = [
            &VAE_MODE,
            &VAE_CHUNK,
            &VAE_QUALITY,
            &VAE_BLEND,
            &PROFILE,
            &PRESET,
        ];
        let find = |row: &'static Row| {
            let (given, from) = said
                .iter()
                .find(|(given, _)| given.split_once('=').unwrap().0 == row.key)?;
            let text = given.split_once('=').unwrap().1;
            Some((row.read_text(text).unwrap(), origin(from)))
        };
        for (given, _) in said {
            let key = given.split_once('=').unwrap().0;
            assert!(rows.iter().any(|row| row.key == key), "{key}");
        }
        Overruled::among(find).0
    }

    const REFERENCE: &str = "vae.mode=reference";

    #[test]
    fn of_contradicting_settings_the_stronger_counts() {
        let (chunk, blend, quality) = ("vae.chunk=2", "vae.blend=0", "vae.quality=on");
        let table: &[(&[(&str, &str)], &[&str])] = &[
            (&[], &[]),
            // Nothing contradicts.
            (&[(REFERENCE, "job")], &[]),
            (
                &[
                    (REFERENCE, "job"),
                    ("vae.chunk=auto", "job"),
                    ("vae.quality=off", "job"),
                ],
                &[],
            ),
            (
                &[("vae.mode=auto", "job"), (chunk, "file"), (blend, "file")],
                &[],
            ),
            (
                &[
                    ("vae.mode=chunked", "job"),
                    (chunk, "file"),
                    (blend, "environment"),
                ],
                &[],
            ),
            // The job's own wins over the farm's.
            (
                &[
                    (REFERENCE, "job"),
                    (chunk, "file"),
                    (blend, "environment"),
                    (quality, "profile p"),
                ],
                &["vae.blend", "vae.chunk", "vae.quality"],
            ),
            (&[(REFERENCE, "file"), (chunk, "job")], &["vae.mode"]),
            (&[(REFERENCE, "environment"), (blend, "set")], &["vae.mode"]),
            (
                &[(REFERENCE, "environment"), (quality, "job")],
                &["vae.mode"],
            ),
            // The environment over the file, the file over presets, presets over the profile.
            (
                &[(REFERENCE, "file"), (chunk, "environment")],
                &["vae.mode"],
            ),
            (
                &[(REFERENCE, "environment"), (chunk, "file")],
                &["vae.chunk"],
            ),
            (
                &[
                    (REFERENCE, "preset n"),
                    (chunk, "file"),
                    ("preset=n", "file"),
                ],
                &["vae.mode"],
            ),
            (
                &[
                    (REFERENCE, "profile p"),
                    (quality, "preset n"),
                    ("preset=n", "file"),
                ],
                &["vae.mode"],
            ),
            // The last preset over the others.
            (
                &[
                    (REFERENCE, "preset a"),
                    (chunk, "preset b"),
                    ("preset=a,b", "job"),
                ],
                &["vae.mode"],
            ),
            (
                &[
                    (REFERENCE, "preset a"),
                    (chunk, "preset b"),
                    ("preset=b,a", "job"),
                ],
                &["vae.chunk"],
            ),
            // What the job names is stronger than the farm, and weaker than the job.
            (
                &[
                    (REFERENCE, "environment"),
                    (chunk, "profile p"),
                    ("profile=bnb4", "job"),
                ],
                &["vae.mode"],
            ),
            (
                &[
                    (REFERENCE, "environment"),
                    (chunk, "profile p"),
                    ("profile=bnb4", "file"),
                ],
                &["vae.chunk"],
            ),
            (
                &[(REFERENCE, "job"), (chunk, "preset a"), ("preset=a", "job")],
                &["vae.chunk"],
            ),
            // Of equally strong ones, the reference.
            (
                &[(REFERENCE, "file"), (chunk, "file"), (quality, "file")],
                &["vae.chunk", "vae.quality"],
            ),
            (
                &[
                    (REFERENCE, "preset a"),
                    (blend, "preset a"),
                    ("preset=a", "job"),
                ],
                &["vae.blend"],
            ),
            // Quality over any chunk and blend.
            (
                &[(quality, "file"), (chunk, "job"), (blend, "job")],
                &["vae.blend", "vae.chunk"],
            ),
            (&[(quality, "profile p"), (chunk, "set")], &["vae.chunk"]),
            (&[(quality, "preset n"), ("vae.chunk=auto", "job")], &[]),
            // A farm that contradicts itself, and a job that is stronger.
            (
                &[(REFERENCE, "file"), (quality, "file"), (chunk, "job")],
                &["vae.mode", "vae.quality"],
            ),
            (
                &[
                    (REFERENCE, "file"),
                    (quality, "environment"),
                    (chunk, "job"),
                ],
                &["vae.chunk", "vae.mode"],
            ),
        ];
        for (said, expected) in table {
            let found: Vec<&str> = overruled(said).into_keys().collect();
            assert_eq!(found, *expected, "{said:?}");
        }
    }

    #[test]
    fn the_reason_names_what_is_stronger_and_who_says_it() {
        let reasons = overruled(&[(REFERENCE, "job"), ("vae.chunk=2", "environment")]);
        assert_eq!(
            reasons["vae.chunk"],
            "`vae.mode: reference` (from job file) decodes without it"
        );
        let reasons = overruled(&[
            (REFERENCE, "file"),
            ("vae.chunk=2", "job"),
            ("vae.quality=on", "environment"),
        ]);
        assert_eq!(
            reasons["vae.mode"],
            "`vae.chunk: 2` (from job file) is stronger"
        );
        assert_eq!(
            reasons["vae.chunk"],
            "`vae.quality: on` (from V) decodes in larger tiles than any chunk, and fades as it needs"
        );
    }

    #[test]
    fn a_job_contradicts_itself_with_what_the_reference_does_without() {
        let mode = Value::from("reference");
        let (two, on, auto) = (Value::Integer(2), Value::from("on"), Value::from("auto"));
        let keys = |mode: &Value, chunk: &Value| -> Vec<&str> {
            let said = |row: &'static Row| match row.key {
                "vae.mode" => Some(mode.clone()),
                "vae.chunk" => Some(chunk.clone()),
                "vae.quality" => Some(on.clone()),
                _ => None,
            };
            let said: BTreeMap<_, _> = [&VAE_MODE, &VAE_CHUNK, &VAE_QUALITY]
                .into_iter()
                .filter_map(|row| Some((row.key, said(row)?)))
                .collect();
            let found = contradictions(|row| said.get(row.key));
            found.into_iter().map(|(row, _)| row.key).collect()
        };
        assert_eq!(keys(&mode, &two), ["vae.quality", "vae.chunk"]);
        assert_eq!(keys(&mode, &auto), ["vae.quality"]);
        assert!(keys(&auto, &two).is_empty());
    }
}
