//! Which programs a text of shell calls, with which words. What the shell would compute is left as it is written.

/// The programs of this project.
pub(crate) const PROGRAMS: [&str; 4] = [
    "framepackctl",
    "framepackd",
    "framepack-models",
    "framepack-worker",
];

/// A program's name without its folder, and its arguments.
pub(crate) type Call = Vec<String>;

/// The calls of a text, in their order.
pub(crate) fn calls(text: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut call = Vec::new();
    for token in tokens(text) {
        match token {
            Token::Word(word) => call.push(word),
            Token::End => calls.extend(called(std::mem::take(&mut call))),
        }
    }
    calls.extend(called(call));
    calls
}

enum Token {
    Word(String),
    /// Of a command.
    End,
}

fn tokens(text: &str) -> Vec<Token> {
    let text = text.replace("\\\n", " ");
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut is_word = false;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => (quote, is_word) = (Some(c), true),
            (None, '#') if !is_word => {
                characters.by_ref().find(|c| *c == '\n');
                tokens.push(Token::End);
            }
            (None, c) if c.is_whitespace() || ";|&()".contains(c) => {
                if is_word {
                    tokens.push(Token::Word(std::mem::take(&mut word)));
                }
                is_word = false;
                if c == '\n' || !c.is_whitespace() {
                    tokens.push(Token::End);
                }
            }
            (None, c) => {
                word.push(c);
                is_word = true;
            }
        }
    }
    if is_word {
        tokens.push(Token::Word(word));
    }
    tokens
}

/// What a command calls: without what stands before the program, and with the command that a variable holds.
fn called(mut words: Vec<String>) -> Option<Call> {
    for word in &mut words {
        *word = word.trim_matches(['[', ']']).to_owned();
    }
    let redirected = words
        .iter()
        .position(|word| word.ends_with('>') || *word == "<");
    words.truncate(redirected.unwrap_or(words.len()));
    loop {
        let first = words.first()?;
        if let Some((_, value)) = first.split_once('=').filter(|(name, _)| is_name(name)) {
            if value.contains(' ') {
                return calls(value).into_iter().next();
            }
            words.remove(0);
        } else if first == "sudo" {
            words.remove(0);
            if words.first().is_some_and(|word| word == "-u") {
                words.drain(..words.len().min(2));
            }
        } else {
            break;
        }
    }
    let program = words[0].rsplit('/').next().map(str::to_owned);
    if let Some(program) = program.filter(|name| PROGRAMS.contains(&name.as_str())) {
        words[0] = program;
    }
    Some(words)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[test]
fn calls_are_found_in_a_text_of_shell() {
    let text = "# x\nA=1 target/release/framepackd --config 'a b' 2> log & # y\nmake build && \\\n sudo -u me framepackd state\n\
                w=\"framepack-worker forward\n --model m\"\n$w [-o f]; ls | wc\n";
    let expected: [&[&str]; 7] = [
        &["framepackd", "--config", "a b"],
        &["make", "build"],
        &["framepackd", "state"],
        &["framepack-worker", "forward"],
        &["$w", "-o", "f"],
        &["ls"],
        &["wc"],
    ];
    let found: Vec<_> = calls(text)
        .into_iter()
        .map(|mut call| {
            call.truncate(3);
            call
        })
        .collect();
    assert_eq!(found, expected);
}
