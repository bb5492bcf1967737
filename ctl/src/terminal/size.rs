//! Sizes as people read them.

const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/// `512 B`, `19.2 GiB`, `212 GiB`: three digits where there are as many.
pub(crate) fn bytes(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut units = UNITS.into_iter();
    let mut unit = units.next().unwrap_or_default();
    // What would be rounded to 1024 belongs to the next unit.
    while size >= 1023.5
        && let Some(next) = units.next()
    {
        size /= 1024.0;
        unit = next;
    }
    if size < 99.95 {
        format!("{size:.1} {unit}")
    } else {
        format!("{size:.0} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_and_a_unit() {
        const GIB: u64 = 1 << 30;
        for (size, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1.0 MiB"),
            (19 * GIB + GIB / 5, "19.2 GiB"),
            (100 * GIB - 1, "100 GiB"),
            (212 * GIB, "212 GiB"),
            (1024 * GIB, "1.0 TiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(bytes(size), expected);
        }
    }
}
