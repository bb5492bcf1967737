"""Sums ncu's list of kernels (CSV on standard input) by part of the decoder, for one of its two decodes.

    profile.py LABEL < kernels.csv
"""

import csv
import sys

PARTS = [
    ("layout", ("nchwtonhwc", "nhwctonchw", "transpose")),
    ("padding, norm and SiLU in one", ("padded",)),
    ("upsampling", ("upsample", "interleave")),
    ("norms", ("moments", "scaling", "groupnorm", "group_norm", "computefusedparams", "welford")),
    ("sums, biases and moments in one", ("add(", "add_kernel")),
    ("padding", ("replication_pad", "pad3d")),
    ("SiLU", ("silu",)),
    ("attention", ("fmha", "flash", "attention", "softmax")),
    ("convolutions", ("conv", "fprop", "xmma", "cudnn", "implicit")),
    ("products", ("gemm", "nvjet", "cutlass", "cublas", "splitk")),
]
SYNTHESIS = ("distribution", "normal", "random", "bitwise", "rshift")
NANOSECONDS = {"nsecond": 1, "ns": 1, "usecond": 1e3, "us": 1e3, "msecond": 1e6, "ms": 1e6}


def part_of(name):
    lowered = name.lower()
    if lowered == "add":  # the engine's kernel of that name, as ncu has it
        return "sums, biases and moments in one"
    return next((part for part, words in PARTS if any(word in lowered for word in words)), "other")


def main(label):
    lines = [line for line in sys.stdin if line.startswith('"')]
    totals, counts, others = {}, {}, {}
    for row in csv.DictReader(lines):
        name = row["Kernel Name"]
        if any(word in name.lower() for word in SYNTHESIS):
            continue
        millis = float(row["Metric Value"].replace(",", "")) * NANOSECONDS[row["Metric Unit"]] / 1e6 / 2
        part = part_of(name)
        totals[part] = totals.get(part, 0) + millis
        counts[part] = counts.get(part, 0) + 0.5
        others[name] = others.get(name, 0) + millis
    print(f"\n| kernels {label} | ms | launches |\n| --- | --- | --- |")
    for part, millis in sorted(totals.items(), key=lambda item: -item[1]):
        print(f"| {part} | {millis:.2f} | {counts[part]:.0f} |")
    print(f"| all | {sum(totals.values()):.2f} | {sum(counts.values()):.0f} |\n")
    for name, millis in sorted(others.items(), key=lambda item: -item[1])[:14]:
        print(f"    {millis:8.2f} ms  {name[:150]}")


if __name__ == "__main__":
    main(sys.argv[1])
