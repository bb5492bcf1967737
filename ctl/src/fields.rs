//! `--json=id,result.video`: some fields of a record.

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use serde_json::{Map, Value};

/// The record with nothing but `fields`; a field that it does not have in its state is null.
///
/// A dotted field keeps its place: `result.video` is `{"result":{"video":…}}`, as in the whole record.
pub(crate) fn pick(record: &Value, fields: &[String]) -> Value {
    let mut picked = Value::Object(Map::new());
    for field in fields {
        let mut from = Some(record);
        let mut to = &mut picked;
        for part in field.split('.') {
            from = from.and_then(|value| value.get(part));
            to = match to {
                Value::Object(map) => map.entry(part).or_insert_with(|| Value::Object(Map::new())),
                // `a` was asked for before `a.b`, and has no keys.
                other => other,
            };
        }
        *to = from.cloned().unwrap_or(Value::Null);
    }
    picked
}

/// An error if a field can't be in any record; `known` are the top-level keys.
pub(crate) fn check(fields: &[String], known: &[&str]) -> Result<(), ErrorBody> {
    for field in fields {
        let top = field.split('.').next().unwrap_or_default();
        if !known.contains(&top) {
            let message = format!("--json: no field is called `{field}`");
            let hint = match framepack_jobs::suggest(top, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => {
                    "this command prints whole records: `--json`".to_owned()
                }
                None => format!("known fields: {}", known.join(", ")),
            };
            return Err(ErrorBody::new(Code::USAGE, message).hint(hint));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn picked(fields: &[&str]) -> Value {
        let record = json!({"id": 7, "result": {"video": "a.mp4", "plan": {"secs": 1.2}}});
        let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
        pick(&record, &fields)
    }

    #[test]
    fn fields_keep_their_place() {
        assert_eq!(picked(&["id"]), json!({"id": 7}));
        assert_eq!(
            picked(&["result.plan.secs", "result.video"]),
            json!({"result": {"plan": {"secs": 1.2}, "video": "a.mp4"}})
        );
    }

    #[test]
    fn what_a_record_has_not_is_null() {
        assert_eq!(picked(&["failure"]), json!({"failure": null}));
        assert_eq!(picked(&["id.x"]), json!({"id": {"x": null}}));
    }

    #[test]
    fn misspelt_fields_are_usage_errors() {
        let check = |field: &str| super::check(&[field.to_owned()], &["id", "state", "result"]);
        assert!(check("result.video").is_ok());
        let err = check("sate").unwrap_err();
        assert_eq!(err.message, "--json: no field is called `sate`");
        assert_eq!(err.hint.as_deref(), Some("did you mean `state`?"));
    }
}
