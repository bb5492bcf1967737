//! Storage types of weights, which several variables choose together.
//!
//! In the Python application FP8 came first for the transformer and `BitsAndBytes` for the text encoders; what neither had
//! taken was left to the quantization of everything.

use super::{
    given::{Given, Switch},
    translated::Translated,
};

const TRANSFORMER: &str = "storage.transformer";
const TEXT_ENCODER: &str = "storage.text_encoder";

/// What was asked for of storage types.
pub(super) fn choose(given: &[Given], translated: &mut Translated) {
    let bnb = Switch::of(given, "FRAMEPACK_USE_BNB");
    let four_bit = Switch::of(given, "FRAMEPACK_BNB_LOAD_IN_4BIT");
    let fp8 = Switch::of(given, "FRAMEPACK_ENABLE_FP8");
    let quant = Switch::of(given, "FRAMEPACK_ENABLE_QUANT");
    if let Some(fp8) = fp8.on() {
        translated.set(TRANSFORMER, "fp8_e4m3", &[fp8]);
    }
    if let Some(bnb) = bnb.on() {
        let (text, by) = match four_bit.on() {
            Some(four_bit) => ("nf4", vec![bnb, four_bit]),
            None => ("int8", vec![bnb]),
        };
        take(&[TRANSFORMER, TEXT_ENCODER], text, &by, translated);
    } else if let Some(four_bit) = four_bit.on() {
        let text = "nothing by itself; with FRAMEPACK_USE_BNB=1 it is 4 bits instead of 8";
        translated.note(four_bit, text);
    }
    let bits = given
        .iter()
        .find(|one| one.name.name == "FRAMEPACK_QUANT_BITS");
    if let Some(quant) = quant.on() {
        match bits.map(|bits| (bits, bits.text.as_str())) {
            None => take(&[TRANSFORMER, TEXT_ENCODER], "int8", &[quant], translated),
            Some((bits, "8")) => {
                take(
                    &[TRANSFORMER, TEXT_ENCODER],
                    "int8",
                    &[quant, bits],
                    translated,
                );
            }
            Some((bits, "4")) => {
                take(
                    &[TRANSFORMER, TEXT_ENCODER],
                    "nf4",
                    &[quant, bits],
                    translated,
                );
            }
            // A value that is no number at all has been told.
            Some((bits, _)) if bits.value().is_err() => {}
            Some((bits, other)) => {
                let message = format!("expected 4 or 8; found `{other}`");
                translated.problem(bits, framepack_yaml::Mistake::out_of_range(message));
            }
        }
    } else if let Some(bits) = bits {
        translated.note(
            bits,
            "nothing by itself; it belongs to FRAMEPACK_ENABLE_QUANT=1",
        );
    }
    if let Some(off) = bnb.off() {
        for key in [TRANSFORMER, TEXT_ENCODER] {
            if translated.meant(key).is_none() {
                translated.set(key, "auto", &[off]);
            }
        }
    }
    for off in [fp8, quant].into_iter().filter_map(Switch::off) {
        translated.note(
            off,
            "off: nothing to set; a storage type that is set elsewhere stays",
        );
    }
    if let Some(four_bit) = four_bit.off().filter(|_| bnb.on().is_none()) {
        translated.note(
            four_bit,
            "nothing by itself; it belongs to FRAMEPACK_USE_BNB=1",
        );
    }
}

/// Sets those keys that nobody stronger has set.
fn take(keys: &[&'static str], text: &str, by: &[&Given], translated: &mut Translated) {
    for key in keys {
        match translated
            .meant(key)
            .map(|meant| (meant.variable(), meant.text.clone()))
        {
            None => translated.set(key, text, by),
            Some((stronger, counts)) => {
                for given in by {
                    let text = format!("{stronger} is stronger, and sets {key} to {counts}");
                    translated.note(given, text);
                }
            }
        }
    }
}
