//! From a script's text to words and the ends of commands, as a shell would see them.

use framepack_yaml::{Location, Mistake, Problem};

use super::{
    line::{self, Whole},
    shell::Shell,
};

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// The word without its quotes.
    pub(crate) text: String,
    /// Where it begins.
    pub(crate) at: Location,
    /// The first part that a shell would have replaced, as it is written: `$NAME`.
    pub(crate) expansion: Option<String>,
}

/// A word, or the end of a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    End,
}

/// Everything that a script has.
#[derive(Debug, Default)]
pub(super) struct Lexed {
    pub(super) tokens: Vec<Token>,
    pub(super) notes: Vec<String>,
    pub(super) problem: Option<Problem>,
}

/// The words of a script.
pub(super) fn lex(text: &str, shell: Shell) -> Lexed {
    let mut lexer = Lexer {
        rest: text.chars().collect(),
        next: 0,
        at: Location { line: 1, column: 1 },
        shell,
        word: None,
        skips_word: false,
        lexed: Lexed::default(),
    };
    lexer.run();
    lexer.lexed
}

struct Lexer {
    rest: Vec<char>,
    next: usize,
    at: Location,
    shell: Shell,
    word: Option<Word>,
    /// Whether the next word is a file that output goes to.
    skips_word: bool,
    lexed: Lexed,
}

impl Lexer {
    fn run(&mut self) {
        while let Some(c) = self.peek(0) {
            if self.is_at_start() && self.take_line() {
                continue;
            }
            if c == self.shell.continuation() {
                self.continuation_or_escape();
                continue;
            }
            match c {
                ' ' | '\t' | '\u{a0}' => {
                    self.end_word();
                    self.bump();
                }
                '\n' | ';' | '|' | '&' | '(' | ')' => self.separator(c),
                '#' if self.word.is_none() && self.shell != Shell::Windows => self.skip_line(),
                '<' | '>' => self.redirection(),
                '\'' if self.shell != Shell::Windows => self.quoted('\''),
                '"' => self.quoted('"'),
                '$' if self.shell != Shell::Windows => self.dollar(),
                '%' if self.shell == Shell::Windows => self.percent(),
                '`' => self.substitution(),
                c => {
                    self.push(c);
                    self.bump();
                }
            }
        }
        self.end_word();
        self.lexed.tokens.push(Token::End);
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.next + ahead).copied()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.next += 1;
        if c == '\n' {
            self.at = Location {
                line: self.at.line + 1,
                column: 1,
            };
        } else {
            self.at.column += 1;
        }
        Some(c)
    }

    /// Whether a command begins here.
    fn is_at_start(&self) -> bool {
        self.word.is_none() && matches!(self.lexed.tokens.last(), None | Some(Token::End))
    }

    /// Takes a line that is not made of words: an assignment of Windows, or a remark.
    fn take_line(&mut self) -> bool {
        let rest: String = self.rest[self.next..]
            .iter()
            .take_while(|c| **c != '\n')
            .collect();
        let Some((whole, length)) = line::whole(&rest, self.shell) else {
            return false;
        };
        if let Whole::Set {
            name,
            value,
            expansion,
        } = whole
        {
            let at = self.at;
            let word = |text: String, expansion| Word {
                text,
                at,
                expansion,
            };
            let assignment = word(format!("{name}={value}"), expansion);
            let tokens = [word("export".to_owned(), None), assignment];
            self.lexed.tokens.extend(tokens.map(Token::Word));
        }
        for _ in 0..length {
            self.bump();
        }
        self.lexed.tokens.push(Token::End);
        true
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.bump();
        }
    }

    fn push(&mut self, c: char) {
        self.begin_word().text.push(c);
    }

    fn begin_word(&mut self) -> &mut Word {
        let at = self.at;
        self.word.get_or_insert_with(|| Word {
            text: String::new(),
            at,
            expansion: None,
        })
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take()
            && !std::mem::take(&mut self.skips_word)
        {
            self.lexed.tokens.push(Token::Word(word));
        }
    }

    /// `&>` sends output away; everything else here ends a command.
    fn separator(&mut self, c: char) {
        if c == '&' && self.peek(1) == Some('>') {
            self.bump();
            return self.redirection();
        }
        self.end_word();
        self.skips_word = false;
        self.lexed.tokens.push(Token::End);
        self.bump();
    }

    /// `> FILE`, `2>&1`, `<< WORD`: nothing that a setting is in.
    fn redirection(&mut self) {
        let is_number = |word: &Word| word.text.chars().all(|c| c.is_ascii_digit());
        if self.word.as_ref().is_some_and(is_number) {
            self.word = None;
        }
        self.end_word();
        while matches!(self.peek(0), Some('<' | '>' | '&' | '|')) {
            self.bump();
        }
        self.skips_word = true;
    }

    /// A line goes on, or the next character counts as a letter.
    fn continuation_or_escape(&mut self) {
        let blanks = self.rest[self.next + 1..]
            .iter()
            .take_while(|c| matches!(c, ' ' | '\t'))
            .count();
        match self.peek(1 + blanks) {
            None => self.skip_line(),
            Some('\n') if blanks == 0 => {
                self.bump();
                self.bump();
            }
            Some('\n') => self.late_continuation(),
            Some('#') if blanks > 0 && self.shell == Shell::Posix => self.late_continuation(),
            Some(_) => {
                self.bump();
                if let Some(c) = self.peek(0) {
                    self.push(c);
                    self.bump();
                }
            }
        }
    }

    /// A sign that continues a line, and is not its last character: the shell takes it otherwise.
    fn late_continuation(&mut self) {
        let sign = self.shell.continuation();
        let at = self.at;
        let note = format!(
            "{at}: `{sign}` is not the last character of its line, so that the shell ends the command there; taken as if the line went on"
        );
        self.lexed.notes.push(note);
        self.skip_line();
        self.bump();
    }

    fn quoted(&mut self, quote: char) {
        let opened = self.at;
        self.begin_word();
        self.bump();
        loop {
            match self.peek(0) {
                None => return self.unclosed(opened, quote),
                Some(c) if c == quote => {
                    self.bump();
                    return;
                }
                Some('\\') if quote == '"' && self.shell == Shell::Posix => {
                    self.bump();
                    match self.bump() {
                        None | Some('\n') => {}
                        Some(c @ ('$' | '`' | '"' | '\\')) => self.push(c),
                        Some(c) => {
                            self.push('\\');
                            self.push(c);
                        }
                    }
                }
                Some('$') if quote == '"' && self.shell != Shell::Windows => self.dollar(),
                Some('%') if self.shell == Shell::Windows => self.percent(),
                Some('`') if quote == '"' && self.shell == Shell::Posix => self.substitution(),
                Some(c) => {
                    self.push(c);
                    self.bump();
                }
            }
        }
    }

    fn unclosed(&mut self, opened: Location, quote: char) {
        let mistake = Mistake::out_of_range(format!("the quote {quote} is not closed"));
        let hint = format!("write a {quote} at the end of the value");
        let mut problem = Problem::at("", mistake.hint(hint));
        problem.location = Some(opened);
        self.lexed.problem.get_or_insert(problem);
    }

    /// What a shell replaces after a dollar, or the dollar itself.
    fn dollar(&mut self) {
        let rest = &self.rest[self.next + 1..];
        let length = match rest.first() {
            Some('{') => within(rest, '{', '}'),
            Some('(') => within(rest, '(', ')'),
            Some(c) if c.is_ascii_alphabetic() || *c == '_' => {
                let is_part = |c: &&char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
                let colons = self.shell == Shell::Power;
                rest.iter()
                    .take_while(is_part)
                    .take_while(|c| colons || **c != ':')
                    .count()
            }
            Some('@' | '*' | '#' | '?' | '$' | '!' | '-' | '0'..='9') => 1,
            // `$'…'` and `$"…"` are quotes.
            Some('\'' | '"') => {
                self.bump();
                return;
            }
            _ => 0,
        };
        if length == 0 {
            self.push('$');
            self.bump();
        } else {
            self.expand(length + 1);
        }
    }

    /// `%NAME%` of Windows, or a percent sign.
    fn percent(&mut self) {
        let rest = &self.rest[self.next + 1..];
        let name = rest
            .iter()
            .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
            .count();
        if name > 0 && rest.get(name) == Some(&'%') {
            self.expand(name + 2);
        } else {
            self.push('%');
            self.bump();
        }
    }

    /// A command between backticks.
    fn substitution(&mut self) {
        let rest = &self.rest[self.next + 1..];
        let inside = rest.iter().take_while(|c| **c != '`').count();
        self.expand((inside + 2).min(rest.len() + 1));
    }

    /// Takes so many characters as something that a shell would replace.
    fn expand(&mut self, length: usize) {
        self.begin_word();
        let mut written = String::new();
        for _ in 0..length {
            written.extend(self.bump());
        }
        self.begin_word().expansion.get_or_insert(written);
    }
}

/// How long a text is that begins with `open`, up to the `close` that belongs to it.
fn within(text: &[char], open: char, close: char) -> usize {
    let mut depth = 0_usize;
    for (index, c) in text.iter().enumerate() {
        if *c == open {
            depth += 1;
        } else if *c == close {
            depth -= 1;
            if depth == 0 {
                return index + 1;
            }
        }
    }
    text.len()
}
