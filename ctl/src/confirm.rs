//! Questions that a user answers with yes or no.

use std::io::{self, Write};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;

use crate::{failure::Failure, interrupt::can_ask};

/// What is meant by an empty line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usually {
    Yes,
    No,
}

/// Asks whether to `act`, as in "cancel 30 jobs". An error: nobody can be asked, or the answer is no.
pub(crate) fn confirm(act: &str) -> Result<(), Failure> {
    let refused = |message: String| Failure::new(ErrorBody::new(Code::NOT_CONFIRMED, message));
    if !can_ask() {
        return Err(refused(format!("not confirmed: {act}")));
    }
    let begin = act.chars().next().map(|c| c.to_uppercase().to_string());
    let question = begin.unwrap_or_default() + act.get(1..).unwrap_or_default();
    if asked(&format!("{question}?"), Usually::No) {
        Ok(())
    } else {
        let error = ErrorBody::new(Code::NOT_CONFIRMED, "nothing was changed");
        Err(Failure::new(error.hint("answer y to go on")))
    }
}

/// Asks on the terminal. One that is gone says no.
pub(crate) fn asked(question: &str, usually: Usually) -> bool {
    let answers = match usually {
        Usually::Yes => "[Y/n]",
        Usually::No => "[y/N]",
    };
    // Whoever does not see the question does not answer it.
    let _ = write!(io::stderr(), "{question} {answers} ");
    let mut line = String::new();
    match io::stdin().read_line(&mut line) {
        Ok(read) if read > 0 => is_yes(&line, usually),
        _ => false,
    }
}

fn is_yes(line: &str, usually: Usually) -> bool {
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => true,
        "" => usually == Usually::Yes,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for (line, usually, expected) in [
            ("y\n", Usually::No, true),
            (" Yes \n", Usually::No, true),
            ("\n", Usually::No, false),
            ("\n", Usually::Yes, true),
            ("n\n", Usually::Yes, false),
            ("what\n", Usually::Yes, false),
        ] {
            assert_eq!(is_yes(line, usually), expected, "{line:?}");
        }
    }
}
