"""Compares two runs of this benchmark, of two builds of the worker, and prints Markdown.

    compare.py BEFORE/results.jsonl AFTER/results.jsonl

Where behaviour is to stay, bits and bytes are equal: the last lines say whether. Peaks are in GiB.
"""

import argparse
from pathlib import Path

from table import GIB, MODES_GIB, Results, number, table, yes_no

MODES = [f"card-{mode}" for mode in MODES_GIB]
PARTS = ["unlimited", *MODES, "card-8-poisoned", "job", "job-8", "vae-decode", "vae-decode-8"]
SECS = ("forward_secs", "hoist_secs", "load_secs", "job_secs", "sampling_secs", "decode_secs")
PEAKS = ("planned_peak_bytes", "measured_peak_bytes")
EQUAL = ("sample_sha256", *PEAKS, "resident_blocks", "slots", "streamed_bytes", "host_bytes")


def rows(before, after):
    yield "part", "figure", "before", "after", "after / before"
    for part in PARTS:
        for field in SECS:
            old, new = before.get(part, field), after.get(part, field)
            if old and new:
                yield part, field, number(old, 3), number(new, 3), number(new / old, 3)
        for field in PEAKS:
            old, new = before.get(part, field), after.get(part, field)
            if old and new:
                yield part, field, number(old, 3, GIB), number(new, 3, GIB), number(new / old, 4)


def differences(before, after):
    """Of what should be equal: part and field, where both were measured."""
    for part in PARTS:
        for field in EQUAL:
            old, new = before.get(part, field), after.get(part, field)
            if old is not None and new is not None and old != new:
                yield f"{part} {field}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    args = parser.parse_args()
    before, after = Results(args.before), Results(args.after)
    print(table(*rows(before, after)), end="")
    pairs = [[results.get(part, "sample_sha256") for results in (before, after)] for part in PARTS]
    same = [old == new for old, new in pairs if old or new]
    print(f"Same bits in the {len(same)} parts that have them: {yes_no(bool(same) and all(same))}.")
    print(f"Not equal: {', '.join(differences(before, after)) or 'nothing'}.")


if __name__ == "__main__":
    main()
