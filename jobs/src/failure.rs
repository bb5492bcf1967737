//! Why a job failed: a class that policy goes by, a stable code, and words for the user.

use serde::{Deserialize, Serialize};

use crate::{AnyCode, Class, Code, JobId};

/// A failure as it is stored, reported and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What policy goes by.
    pub class: Class,
    /// Stable code; in JSON with who is at `fault`.
    #[serde(flatten)]
    pub code: AnyCode,
    /// What failed, where, with which values. Lower case, no trailing dot.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with the class and the hint of its code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            class: code.class(),
            code: code.into(),
            message: message.into(),
            hint: Some(code.hint().to_owned()),
        }
    }

    /// The same with a hint that knows more than the code's, if there is one.
    #[must_use]
    pub fn hinting(self, hint: Option<&str>) -> Self {
        let hint = hint.map(str::to_owned).or(self.hint);
        Self { hint, ..self }
    }

    /// The same with a job's number in place of `JOB` in the hint.
    #[must_use]
    pub fn naming(self, job: JobId) -> Self {
        let hint = self.hint.map(|hint| hint.replace("JOB", &job.to_string()));
        Self { hint, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_who_is_at_fault() {
        let failure = Failure::new(Code::NOT_A_NUMBER, "latents hold NaN");
        let json = serde_json::to_string(&failure).unwrap();
        assert_eq!(
            json,
            r#"{"class":"numerics","code":"FP5004","fault":"job","message":"latents hold NaN","hint":"try another seed"}"#
        );
        assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), failure);
    }

    #[test]
    fn failures_of_other_versions_open_and_keep_their_code() {
        let old: Failure =
            serde_json::from_str(r#"{"class":"oom","code":"FP5001","message":"m"}"#).unwrap();
        assert_eq!((old.class, old.hint), (Class::Oom, None));
        assert_eq!(old.code, Code::OUT_OF_MEMORY);
        let later = r#"{"class":"haunted","code":"FP5999","fault":"ghost","message":"boo"}"#;
        let later: Failure = serde_json::from_str(later).unwrap();
        assert_eq!(
            serde_json::to_string(&later).unwrap(),
            r#"{"class":"unknown","code":"FP5999","message":"boo"}"#
        );
    }
}
