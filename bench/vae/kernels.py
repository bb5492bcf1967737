"""Prints what kernels.jsonl says as Markdown.

    kernels.py kernels.jsonl
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
from results import cell, ratio, read

GIB = 2**30


def secs(results, name):
    result = results.get(name, {})
    return result.get("decode_secs", result.get("encode_secs"))


def peak(results, name):
    return results.get(name, {}).get("measured_peak_bytes")


GOALS = [
    ("whole frames, diffusers / ours", "diffusers, framewise", "whole, kernels on", secs, 3),
    ("whole frames, diffusers compiled / ours", "diffusers, compiled", "whole, kernels on", secs, 1.5),
    ("small card, diffusers tiled / ours", "diffusers, tiled", "card, kernels on", secs, 4),
    ("one picture encoded, diffusers / ours", "diffusers, encode", "encode, kernels on", secs, 1.5),
    ("peak of whole frames, off / on", "whole, kernels off", "whole, kernels on", peak, 1),
    ("peak of a small card, off / on", "card, kernels off", "card, kernels on", peak, 1),
]  # fmt: skip


def main(path):
    results = read(path)
    print("| decode | s | peak GiB | planned / peak | tiles px |\n| --- | --- | --- | --- | --- |")
    for name, result in results.items():
        planned = ratio(result.get("planned_peak_bytes"), result.get("measured_peak_bytes"))
        cells = [name, cell(secs(results, name), "{:.3f}"), cell(peak(results, name), "{:.2f}", GIB)]
        print("|", " | ".join([*cells, cell(planned, "{:.2f}"), str(result.get("tile_px") or "-")]), "|")
    print("\n| ratio | measured | at least | met |\n| --- | --- | --- | --- |")
    for label, theirs, ours, of, least in GOALS:
        found = ratio(of(results, theirs), of(results, ours))
        met = "-" if found is None else "yes" if found >= least else "no"
        print(f"| {label} | {cell(found, '{:.2f}')} | {least} | {met} |")


if __name__ == "__main__":
    main(sys.argv[1])
