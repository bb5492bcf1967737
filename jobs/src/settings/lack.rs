//! What a device can't do of the settings, as its worker tells.

use serde::{Deserialize, Serialize};

use super::{row::Row, value::Value};

/// A setting that a device does not carry out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lack {
    /// Key of the setting.
    pub key: String,
    /// The value, which may be the default; `None`: any other than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Why.
    pub reason: String,
    /// What becomes of a job that asks for it itself.
    pub consequence: Consequence,
}

/// What becomes of a job that itself asks for what a device can't do. One for which a profile, a preset or the farm
/// asks runs without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// It is refused.
    Refused,
    /// It runs without it: on such a device the setting means nothing.
    #[serde(other)]
    Moot,
}

/// What one device can't do, or what none of several can.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lacks(Vec<Lack>);

impl From<Vec<Lack>> for Lacks {
    fn from(lacks: Vec<Lack>) -> Self {
        Self(lacks)
    }
}

impl Lacks {
    /// What neither these nor those devices can do. Where their reasons differ, both count.
    #[must_use]
    pub fn and(self, others: &Self) -> Self {
        let common = self.0.into_iter().filter_map(|mut lack| {
            let other = others
                .0
                .iter()
                .find(|other| (&other.key, &other.value) == (&lack.key, &lack.value))?;
            if !lack.reason.contains(&other.reason) {
                lack.reason = format!("{}; {}", lack.reason, other.reason);
            }
            if other.consequence == Consequence::Moot {
                lack.consequence = Consequence::Moot;
            }
            Some(lack)
        });
        Self(common.collect())
    }

    /// Why a row with this value does nothing.
    pub fn reason(&self, row: &Row, value: &Value) -> Option<&str> {
        self.of(row, value).map(|lack| lack.reason.as_str())
    }

    /// Why a job can't ask for this value itself.
    pub fn refuses(&self, row: &Row, value: &Value) -> Option<&str> {
        let lack = self.of(row, value);
        let refusing = lack.filter(|lack| lack.consequence == Consequence::Refused);
        refusing.map(|lack| lack.reason.as_str())
    }

    fn of(&self, row: &Row, value: &Value) -> Option<&Lack> {
        let is_default = row.default_value().as_ref() == Some(value);
        self.0.iter().find(|lack| {
            let is_lacked = match &lack.value {
                Some(lacked) => lacked == value,
                None => !is_default,
            };
            lack.key == row.key && is_lacked
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{ATTENTION, OFFLOAD};

    fn lack(value: Option<&str>, reason: &str, consequence: Consequence) -> Lack {
        Lack {
            key: "attention".into(),
            value: value.map(Value::from),
            reason: reason.into(),
            consequence,
        }
    }

    #[test]
    fn the_default_asks_for_nothing_and_another_value_or_key_is_not_meant() {
        let lacks = Lacks::from(vec![lack(Some("standard"), "no", Consequence::Refused)]);
        let any = Lacks::from(vec![lack(None, "moot", Consequence::Moot)]);
        for (row, word, reasons) in [
            (&ATTENTION, "standard", (Some("no"), Some("moot"))),
            (&ATTENTION, "off", (None, Some("moot"))),
            (&ATTENTION, "auto", (None, None)),
            (&OFFLOAD, "aggressive", (None, None)),
        ] {
            let value = Value::from(word);
            let found = (lacks.reason(row, &value), any.reason(row, &value));
            assert_eq!(found, reasons, "{word}");
            assert_eq!(lacks.refuses(row, &value), reasons.0, "{word}");
            assert_eq!(any.refuses(row, &value), None, "{word}");
        }
        let default = Lacks::from(vec![lack(Some("auto"), "moot", Consequence::Moot)]);
        assert_eq!(
            default.reason(&ATTENTION, &Value::from("auto")),
            Some("moot")
        );
    }

    #[test]
    fn several_devices_lack_what_each_of_them_lacks() {
        use Consequence::{Moot, Refused};
        let of = |value, reason, consequence| Lacks::from(vec![lack(value, reason, consequence)]);
        let standard = Some("standard");
        let first = of(standard, "no on cuda:0", Refused);
        for (second, expected) in [
            (Lacks::default(), Lacks::default()),
            (of(Some("aggressive"), "no", Refused), Lacks::default()),
            (first.clone(), first.clone()),
            (
                of(standard, "no on cuda:1", Refused),
                of(standard, "no on cuda:0; no on cuda:1", Refused),
            ),
            (
                of(standard, "moot on cpu", Moot),
                of(standard, "no on cuda:0; moot on cpu", Moot),
            ),
        ] {
            assert_eq!(first.clone().and(&second), expected);
        }
    }

    #[test]
    fn a_consequence_of_a_later_version_refuses_nothing() {
        let json = r#"{"key":"attention","reason":"no","consequence":"later"}"#;
        let lack: Lack = serde_json::from_str(json).unwrap();
        assert_eq!(lack.consequence, Consequence::Moot);
    }
}
