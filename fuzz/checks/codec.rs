//! Any bytes, in any pieces, are messages or errors: the same ones however they are cut, and no panic.

use framepack_ipc::{
    codec::{CodecError, Decoder, encode},
    control::{Greeting, Request, Response},
    worker::{FromWorker, ToWorker},
};

/// Small, so that the limit is met often.
const LIMIT_BYTES: usize = 512;

/// The first byte says how the others are cut.
pub(crate) fn check(data: &[u8]) {
    let Some((&cut, bytes)) = data.split_first() else {
        return;
    };
    let whole = received(bytes, bytes.len().max(1));
    let pieces = received(bytes, usize::from(cut).max(1));
    assert_eq!(whole, pieces, "cut into pieces of {cut}");
}

/// What comes of bytes that arrive in pieces: messages as they would be sent, or "malformed"; at the end "too long".
fn received(bytes: &[u8], piece_bytes: usize) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::new(LIMIT_BYTES);
    let mut seen = Vec::new();
    for piece in bytes.chunks(piece_bytes) {
        decoder.push(piece);
        loop {
            match decoder.message::<Message>() {
                Ok(Some(message)) => seen.push(message.0),
                Ok(None) => break,
                Err(CodecError::Malformed(_)) => seen.push(b"malformed".to_vec()),
                Err(CodecError::TooLong { .. }) => {
                    seen.push(b"too long".to_vec());
                    return seen;
                }
            }
            assert!(decoder.buffered_bytes() <= bytes.len());
        }
    }
    seen
}

/// A message of any of the five kinds, as it is sent again.
struct Message(Vec<u8>);

impl<'de> serde::Deserialize<'de> for Message {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let again = |value: &serde_json::Value| {
            let sent = [
                serde_json::from_value::<Greeting>(value.clone()).map(|message| encode(&message)),
                serde_json::from_value::<Request>(value.clone()).map(|message| encode(&message)),
                serde_json::from_value::<Response>(value.clone()).map(|message| encode(&message)),
                serde_json::from_value::<ToWorker>(value.clone()).map(|message| encode(&message)),
                serde_json::from_value::<FromWorker>(value.clone()).map(|message| encode(&message)),
            ];
            sent.into_iter()
                .filter_map(Result::ok)
                .flatten()
                .collect::<Vec<u8>>()
        };
        Ok(Self(again(&value)))
    }
}
