//! Lines of JSON: bytes to messages and back, without I/O.

use serde::{Serialize, de::DeserializeOwned};

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// A line that does not end within the limit. The rest of the stream is useless.
    #[error("a message of more than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// A line that is no JSON, or no message.
    #[error("not a message: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// A message as its line, newline included.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut line =
        serde_json::to_vec(message).expect("messages have string keys and finite numbers");
    line.push(b'\n');
    line
}

/// One line, with or without its newline, as a message.
pub fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<T, CodecError> {
    Ok(serde_json::from_slice(line)?)
}

/// Memory that a [`Decoder`] keeps between messages.
const KEPT_BYTES: usize = 64 << 10;

/// Cuts a stream of bytes into messages.
#[derive(Debug)]
pub struct Decoder {
    limit_bytes: usize,
    buffer: Vec<u8>,
    /// Start of the first line that was not handed out.
    start: usize,
    /// Up to here there is no newline behind `start`.
    searched: usize,
}

impl Decoder {
    /// A decoder for messages of at most `limit_bytes`, newline not counted.
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
        }
    }

    /// Bytes of messages that were not handed out.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        if self.buffer.is_empty() {
            // After a long message its memory is given back.
            self.buffer.shrink_to(KEPT_BYTES);
        }
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, if all of it is there. Empty lines are passed over.
    pub fn message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, CodecError> {
        while let Some(line) = self.next_line()? {
            if !line.trim_ascii().is_empty() {
                return decode(line).map(Some);
            }
        }
        Ok(None)
    }

    fn next_line(&mut self) -> Result<Option<&[u8]>, CodecError> {
        let newline = self.buffer[self.searched..]
            .iter()
            .position(|&byte| byte == b'\n')
            .map(|offset| self.searched + offset);
        let end = newline.unwrap_or(self.buffer.len());
        if end - self.start > self.limit_bytes {
            return Err(CodecError::TooLong {
                limit_bytes: self.limit_bytes,
            });
        }
        self.searched = end;
        let Some(newline) = newline else {
            return Ok(None);
        };
        let line = self.start..newline;
        self.start = newline + 1;
        self.searched = self.start;
        Ok(Some(&self.buffer[line]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_however_the_bytes_are_cut() {
        let messages = ["a", "", "line\nbreak", "ü"].map(str::to_owned);
        let bytes: Vec<u8> = messages.iter().flat_map(encode).collect();
        for size in 1..bytes.len() {
            let mut decoder = Decoder::new(64);
            let mut received = Vec::new();
            for chunk in bytes.chunks(size) {
                decoder.push(chunk);
                while let Some(message) = decoder.message::<String>().unwrap() {
                    received.push(message);
                }
            }
            assert_eq!(received, messages, "chunks of {size}");
        }
    }

    #[test]
    fn the_limit_is_exact_and_needs_no_newline() {
        let line = encode(&"12345678");
        let mut decoder = Decoder::new(line.len() - 1);
        decoder.push(&line);
        assert_eq!(decoder.message::<String>().unwrap().unwrap(), "12345678");
        let mut decoder = Decoder::new(line.len() - 2);
        decoder.push(&line[..line.len() - 1]);
        let err = decoder.message::<String>().unwrap_err();
        assert_eq!(err.to_string(), "a message of more than 9 bytes");
    }

    #[test]
    fn empty_lines_are_passed_over_and_nonsense_is_an_error() {
        let mut decoder = Decoder::new(64);
        decoder.push(b"\n  \r\n\"x\"\nnonsense\n\"y\"\n");
        assert_eq!(decoder.message::<String>().unwrap().unwrap(), "x");
        assert!(matches!(
            decoder.message::<String>(),
            Err(CodecError::Malformed(_))
        ));
        assert_eq!(decoder.message::<String>().unwrap().unwrap(), "y");
        assert!(decoder.message::<String>().unwrap().is_none());
    }
}
