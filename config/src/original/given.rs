//! A name with what it was set to.

use framepack_yaml::{Location, Mistake, Node, scalar};

use super::name::{Name, Values};

/// A variable or flag that somebody set.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) name: &'static Name,
    /// As it was written: of a variable with a name of its own, such as `FRAMEPACK_MODULE_CACHE_SIZE_CLIP`, that.
    pub(super) written: String,
    /// Its value; of a flag without one, nothing.
    pub(super) text: String,
    /// Where, in a script.
    pub(super) at: Option<Location>,
}

impl Given {
    pub(super) fn new(name: &'static Name, written: &str, text: &str) -> Self {
        Self {
            name,
            written: written.to_owned(),
            text: text.trim().to_owned(),
            at: None,
        }
    }

    /// Whether it is a switch that is on, or a flag.
    pub(super) fn switch(&self) -> Result<bool, Mistake> {
        if self.name.values == Values::Flag {
            return Ok(true);
        }
        match self.text.as_str() {
            "1" => Ok(true),
            "0" => Ok(false),
            other => Err(no_switch(other)),
        }
    }

    /// The value as a key's text, if it is one of those that the name may have.
    pub(super) fn value(&self) -> Result<String, Mistake> {
        match &self.name.values {
            Values::Switch | Values::Flag => self
                .switch()
                .map(|on| if on { "1" } else { "0" }.to_owned()),
            Values::Integer(range) => {
                let number: i64 = scalar(&self.text).integer(range)?;
                Ok(number.to_string())
            }
            Values::Number(range) => {
                let number = scalar(&self.text).number(range)?;
                Ok(number.to_string())
            }
            Values::Words(noun, words) => {
                let word = Node::Text(self.text.clone());
                word.word(noun, words.iter().copied()).map(str::to_owned)
            }
            Values::Text(_) => Ok(self.text.clone()),
        }
    }
}

/// In the Python application everything but `1` was off, which nobody means who writes `true`.
fn no_switch(text: &str) -> Mistake {
    let mistake = Mistake::out_of_range(format!("expected 0 or 1; found `{text}`"));
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "t" => mistake.hint("write 1"),
        "false" | "no" | "off" | "n" | "f" => mistake.hint("write 0"),
        _ => mistake.hint("write 1 for on, 0 for off"),
    }
}

/// A variable that is on or off.
#[derive(Clone, Copy)]
pub(super) struct Switch<'g> {
    given: Option<(&'g Given, bool)>,
}

impl<'g> Switch<'g> {
    /// The one with this name; a value that is neither has been told, and counts as not set.
    pub(super) fn of(given: &'g [Given], name: &str) -> Self {
        let found = given.iter().rev().find(|one| one.name.name == name);
        Self {
            given: found.and_then(|one| Some((one, one.switch().ok()?))),
        }
    }

    /// The variable, if it is on.
    pub(super) fn on(self) -> Option<&'g Given> {
        self.given.filter(|(_, on)| *on).map(|(given, _)| given)
    }

    /// The variable, if it is off.
    pub(super) fn off(self) -> Option<&'g Given> {
        self.given.filter(|(_, on)| !on).map(|(given, _)| given)
    }
}
