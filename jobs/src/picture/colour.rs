//! A colour, as settings have it.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// What is behind a picture unless somebody says otherwise.
    pub const WHITE: Self = Self([255; 3]);
}

/// A text that is no colour.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not a colour; expected \"#rrggbb\", such as \"#ffffff\" for white")]
pub struct InvalidColour {
    text: String,
}

impl FromStr for Colour {
    type Err = InvalidColour;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let digits = text.strip_prefix('#')?;
            let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if digits.len() != 6 || !is_hexadecimal {
                return None;
            }
            let number = u32::from_str_radix(digits, 16).ok()?;
            let [_, r, g, b] = number.to_be_bytes();
            Some(Self([r, g, b]))
        };
        read().ok_or_else(|| InvalidColour {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}
