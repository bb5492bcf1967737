//! How values of each kind are read.

use framepack_yaml::{Mistake, Node, ProblemKind, no_whole_number};

use crate::{SeedSpec, name, picture::Colour, settings::value::Value};

pub(super) fn one_of(node: &Node, noun: &str, values: &[u32]) -> Result<Value, Mistake> {
    let known: Vec<String> = values.iter().map(u32::to_string).collect();
    let known = known.join(", ");
    let Some(value) = node.whole().and_then(|value| u32::try_from(value).ok()) else {
        return Err(no_whole_number(format!("{noun}, one of {known}"), node));
    };
    if values.contains(&value) {
        return Ok(Value::Integer(value.into()));
    }
    let message = format!("{value} is not {noun}; expected one of {known}");
    let mistake = Mistake::out_of_range(message);
    Err(
        match values.iter().min_by_key(|known| known.abs_diff(value)) {
            Some(nearest) => mistake.hint(format!("the nearest is {nearest}")),
            None => mistake,
        },
    )
}

/// `true` and `false` are what many write for a switch.
pub(super) fn switch(node: &Node) -> Result<Value, Mistake> {
    match node {
        Node::Bool(true) => Ok(Value::from("on")),
        Node::Bool(false) => Ok(Value::from("off")),
        Node::Int(0 | 1) => {
            let mistake = Mistake::wrong_type("on or off", node);
            let meant = if *node == Node::Int(1) { "on" } else { "off" };
            Err(mistake.hint(format!("write `{meant}`")))
        }
        node => node
            .word("on or off", ["on", "off"])
            .map(Value::from)
            .map_err(|mistake| {
                let word = node.text().unwrap_or_default().to_lowercase();
                let meant = match word.as_str() {
                    "yes" | "y" | "true" | "enable" | "enabled" | "1" => "on",
                    "no" | "n" | "none" | "false" | "disable" | "disabled" | "never" | "0" => "off",
                    _ => return mistake,
                };
                mistake.hint(format!("write `{meant}`"))
            }),
    }
}

/// A list, or names that are separated by commas; an empty list names nothing. Outside a file, as in `--set preset=[a, b]`,
/// a list is text.
pub(super) fn names(node: &Node) -> Result<Value, Mistake> {
    if let Some(list) = node.text().ok().and_then(list) {
        return names(&list);
    }
    if matches!(node, Node::List(items) if items.is_empty()) {
        return Ok(Value::from(""));
    }
    let texts = node.texts()?;
    let names = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    let names: Vec<&str> = names.collect();
    for given in &names {
        name::written(given)
            .map_err(|why| Mistake::out_of_range(format!("`{given}` is not a name: {why}")))?;
    }
    Ok(Value::Text(names.join(",")))
}

/// The list that a text is, in YAML's notation.
fn list(text: &str) -> Option<Node> {
    let text = text.trim();
    let is_list = text.starts_with('[') && text.ends_with(']');
    let root = framepack_yaml::parse(&format!("names: {text}")).ok();
    match root.filter(|_| is_list)? {
        Node::Map(mut entries) => Some(entries.pop()?.1),
        _ => None,
    }
}

pub(super) fn text(node: &Node, max_bytes: usize) -> Result<Value, Mistake> {
    if let Node::List(items) = node
        && items.iter().any(|item| matches!(item, Node::Map(_)))
    {
        let message = "not available in this version: a video has one prompt";
        return Err(Mistake::new(ProblemKind::NotAvailable, message).hint("write one text"));
    }
    let text = node.text()?;
    if text.len() > max_bytes {
        let message = format!("{} bytes; at most {max_bytes} are accepted", text.len());
        return Err(Mistake::out_of_range(message));
    }
    Ok(Value::from(text))
}

/// Unquoted, a colour is a comment, and six digits are a number.
pub(super) fn colour(node: &Node) -> Result<Value, Mistake> {
    let Node::Text(text) = node else {
        let mistake = Mistake::wrong_type("a colour such as \"#ffffff\"", node);
        return Err(mistake.hint("write it in quotes: unquoted, `#` begins a comment"));
    };
    match text.parse::<Colour>() {
        Ok(colour) => Ok(Value::Text(colour.to_string())),
        Err(error) => Err(Mistake::out_of_range(error.to_string())),
    }
}

pub(super) fn seed(node: &Node) -> Result<Value, Mistake> {
    if matches!(node, Node::Int(_)) || matches!(node, Node::Float(number) if number.fract() == 0.0)
    {
        let seed = node.integer(&(0..=u64::MAX))?;
        return Ok(Value::Text(seed.to_string()));
    }
    let seed = match node {
        Node::Text(text) if text == "auto" => SeedSpec::Auto,
        Node::Text(text) if text == "random" => SeedSpec::Random,
        other => return Err(no_whole_number(SEED, other)),
    };
    Ok(Value::Text(seed.to_string()))
}

const SEED: &str = "auto, random or a whole number from 0 to 2^64-1";
