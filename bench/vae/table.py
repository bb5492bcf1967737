"""Prints what results.jsonl of this benchmark says as Markdown: a table a card, and the goals.

    table.py results.jsonl
"""

import json
import sys
from pathlib import Path

GIB = 2**30
CHUNKS = [str(chunk) for chunk in range(1, 9)]
ORDER = ["reference", "auto", *CHUNKS, "quality", "framewise", "tiled", "whole"]
NAMES = {
    "reference": "the reference's tiles", "auto": "chunk auto", "quality": "quality on", "whole": "diffusers, one pass",
    "framewise": "diffusers, framewise", "tiled": "diffusers, framewise and `enable_tiling`",
}  # fmt: skip
HEAD = ["decode", "planned GiB", "peak GiB", "planned / peak", "s", "of the reference's tiles", "tiles in space"]


def read(path):
    """The facts of the run, and results by card and way of decoding."""
    facts, results = {}, {}
    for line in Path(path).read_text().splitlines():
        record = json.loads(line)
        card, row, result = record["card"], record["row"], record["result"]
        if card == "machine":
            facts |= result
        else:
            results.setdefault(card, {})[result.get("way", row)] = result
    return facts, results


def cell(value, form, scale=1):
    return "-" if value is None else form.format(value / scale)


def ratio(a, b):
    return a / b if a is not None and b else None


def row(way, result, tiles_secs):
    planned, measured, secs = map(result.get, ("planned_peak_bytes", "measured_peak_bytes", "decode_secs"))
    in_space = result.get("spatial_tiles")
    return [
        NAMES.get(way, f"chunk {way}"),
        cell(planned, "{:.2f}", GIB),
        cell(measured, "{:.2f}", GIB),
        cell(ratio(planned, measured), "{:.3f}"),
        cell(secs, "{:.2f}"),
        cell(ratio(secs, tiles_secs), "{:.2f}x"),
        "-" if in_space is None else "yes" if in_space else "no",
    ]


def peak(results, card, way):
    return results.get(card, {}).get(way, {}).get("measured_peak_bytes")


def goals(results):
    for card in (card for card in results if card != "whole"):
        ours = [peak(results, card, way) for way in ("reference", "auto", *CHUNKS, "quality")]
        known = [bytes_there for bytes_there in ours if bytes_there is not None]
        most = max(known, default=None)
        met = "-" if not known else "no" if most > float(card) * GIB else "yes" if len(known) == len(ours) else "open"
        label = f"every way inside a card of {card} GiB ({len(known)} of {len(ours)} measured), GiB"
        yield label, cell(most, "{:.2f}", GIB), met
    share = ratio(peak(results, "whole", "1"), peak(results, "whole", "whole"))
    met = "-" if share is None else "yes" if share <= 1 / 3 else "no"
    yield "chunk 1: peak, of one pass's, at most 1/3", cell(share, "{:.3f}"), met


def main(path):
    facts, results = read(path)
    print("; ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items()))
    for card, ways in results.items():
        print(f"\n### {'The whole card' if card == 'whole' else f'A card of {card} GiB'}\n")
        tiles_secs = ways.get("reference", {}).get("decode_secs")
        found = [way for way in ORDER if way in ways]
        for cells in [HEAD, ["---"] * len(HEAD), *(row(way, ways[way], tiles_secs) for way in found)]:
            print(f"| {' | '.join(cells)} |")
        for way, result in ways.items():
            if "error" in result:
                print(f"\n{NAMES.get(way, way if way == 'diffusers' else f'chunk {way}')}: {result['error']}")
    print("\n### Goals\n\n| goal | measured | met |\n| --- | --- | --- |")
    for cells in goals(results):
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main(sys.argv[1])
