//! A tree as text that reads back as the same tree.

use crate::{Node, parse};

/// Spaces before the keys of an inner mapping.
const INDENT: usize = 2;

/// The text of a tree: a key a line, lists in brackets, and quotes only where they are needed.
pub fn write(root: &Node) -> String {
    let mut text = String::new();
    if let Node::Map(entries) = root {
        put_map(&mut text, entries, 0);
    }
    text
}

fn put_map(text: &mut String, entries: &[(String, Node)], indent: usize) {
    let margin = " ".repeat(indent);
    for (key, value) in entries {
        text.extend([&margin, key.as_str(), ":"]);
        match value {
            Node::Map(inner) if !inner.is_empty() => {
                text.push('\n');
                put_map(text, inner, indent + INDENT);
            }
            value => text.extend([" ", &indented(&value_of(value), &margin), "\n"]),
        }
    }
}

/// A value of several lines, with this before each of them but the first.
fn indented(value: &str, margin: &str) -> String {
    let mut lines = value.split('\n');
    let mut text = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        text.push('\n');
        if !line.is_empty() {
            text += margin;
            text += line;
        }
    }
    text
}

fn value_of(node: &Node) -> String {
    match node {
        Node::Text(text) => of_text(text),
        Node::List(items) => {
            let items: Vec<String> = items.iter().map(item).collect();
            format!("[{}]", items.join(", "))
        }
        other => scalar(other),
    }
}

fn scalar(node: &Node) -> String {
    match node {
        Node::Bool(value) => value.to_string(),
        Node::Int(value) => value.to_string(),
        Node::Float(value) => format!("{value:?}"),
        Node::Map(_) => "{}".to_owned(),
        Node::Null | Node::Text(_) | Node::List(_) => "null".to_owned(),
    }
}

/// The plainest way to write a text.
fn of_text(text: &str) -> String {
    let node = Node::Text(text.to_owned());
    let way = if text.contains('\n') {
        block(text)
    } else {
        text.to_owned()
    };
    if reads_as(&way, &node) {
        way
    } else {
        quoted(text)
    }
}

/// An item of a list in brackets.
fn item(node: &Node) -> String {
    let Node::Text(text) = node else {
        return scalar(node);
    };
    let list = Node::List(vec![node.clone()]);
    if reads_as(&format!("[{text}]"), &list) {
        text.clone()
    } else {
        quoted(text)
    }
}

/// Lines as they are.
fn block(text: &str) -> String {
    let (header, lines) = match text.strip_suffix('\n') {
        Some(lines) => ("|", lines),
        None => ("|-", text),
    };
    let margin = " ".repeat(INDENT);
    let lines = lines.split('\n').map(|line| match line {
        "" => String::new(),
        line => format!("{margin}{line}"),
    });
    let lines: Vec<String> = lines.collect();
    format!("{header}\n{}", lines.join("\n"))
}

fn reads_as(text: &str, node: &Node) -> bool {
    let expected = Node::Map(vec![("key".to_owned(), node.clone())]);
    parse(&format!("key: {text}\n")).is_ok_and(|root| root == expected)
}

/// In double quotes, as JSON has them.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            '\r' => quoted += "\\r",
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let escaped = format!("\\u{:04x}", u32::from(c));
                quoted += &escaped;
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, Node)]) -> Node {
        let entries = entries.iter().cloned();
        Node::Map(entries.map(|(key, node)| (key.to_owned(), node)).collect())
    }

    #[test]
    fn a_tree_is_written_as_people_write_it() {
        let text = |text: &str| Node::Text(text.to_owned());
        let root = map(&[
            ("api", text("framepack/v1")),
            (
                "start",
                map(&[("image", text("a.png")), ("background", text("#ffffff"))]),
            ),
            ("prompt", text("A cat yawns.\nIt falls asleep.")),
            ("steps", Node::Int(25)),
            ("after", Node::List(vec![Node::Int(3), text("shot, one")])),
        ]);
        let expected = "\
api: framepack/v1
start:
  image: a.png
  background: \"#ffffff\"
prompt: |-
  A cat yawns.
  It falls asleep.
steps: 25
after: [3, \"shot, one\"]
";
        assert_eq!(write(&root), expected);
        assert_eq!(parse(&write(&root)), Ok(root));
    }

    #[test]
    fn every_text_reads_back_as_it_is() {
        for text in [
            "",
            " ",
            "12",
            "null",
            "true",
            "on",
            "a: b",
            "a #b",
            "#b",
            "- a",
            "\"quoted\"",
            "it's",
            "a\\b",
            "two\nlines\n",
            "two\n\nlines",
            "  indented\nlines",
            "ends with spaces  ",
            "ends\n\n\n",
            "tab\there",
            "{a}",
            "[a]",
            "*alias",
            "&anchor",
            "%",
            "@at",
            "`tick`",
            "猫が跳ぶ 👨\u{200d}👩",
            "\n",
            "a\n b\n  c",
            "---",
            "a\n---\nb",
            "a\r\nb",
        ] {
            let root = map(&[
                ("text", Node::Text(text.to_owned())),
                ("inner", map(&[("text", Node::Text(text.to_owned()))])),
                ("list", Node::List(vec![Node::Text(text.to_owned())])),
            ]);
            assert_eq!(parse(&write(&root)), Ok(root), "{text:?}");
        }
    }
}
