"""Prints what results.jsonl says as Markdown.

    table.py results.jsonl
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
from results import cell, ratio, read

GIB = 2**30
CASES = {
    "base": "608x640, 60 text tokens",
    "wide": "480x832",
    "small": "384x384",
    "f1": "608x640, 512 text tokens, F1's history",
}


def table(*columns):
    print("\n| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))


def row(*cells):
    print("| " + " | ".join(cells) + " |")


def main(path):
    results = read(path)

    def of(name, field="forward_secs", scale=1):
        value = results.get(name, {}).get(field)
        return None if value is None else value / scale

    times = ("on, s", "off, s", "eager, s", "compiled, s", "eager / on", "compiled / on")
    table("forward, bf16", *times, "off: bits of diffusers")
    for case, label in CASES.items():
        on, off = of(f"{case}, kernels on"), of(f"{case}, kernels off")
        eager, compiled = of(f"{case}, diffusers, eager"), of(f"{case}, diffusers, compiled")
        same = {True: "same", False: "others", None: "-"}[of(f"{case}, kernels off against diffusers", "same_bits")]
        row(label, *map(cell, (on, off, eager, compiled, ratio(eager, on), ratio(compiled, on))), same)

    table("part", "on, ms", "share of the limit", "off, ms", "share of the limit")
    on, off = (results.get(f"base, kernels {kernels}", {}).get("profile") or [] for kernels in ("on", "off"))
    for a, b in zip(on, off, strict=False):
        columns = (("millis", "{:.1f}"), ("share_of_limit", "{:.2f}"))
        row(a["part"], *(cell(part[field], form) for part in (a, b) for field, form in columns))

    table("figure", "measured")
    for card in (name for name in results if name.endswith(" GiB")):
        row(f"{card} / unlimited", cell(ratio(of(card), of("base, kernels on"))))
        row(f"{card}: bits of the unlimited", str(bool(of(f"{card} against unlimited", "same_bits"))))
        row(f"{card}: planned / peak", cell(ratio(of(card, "planned_peak_bytes"), of(card, "measured_peak_bytes"))))
    peaks = (cell(of(f"base, kernels {kernels}", "peak_bytes", GIB)) for kernels in ("on", "off"))
    row("peak of torch's memory, on / off, GiB", " / ".join(peaks))
    first = of("without", "first_forward_secs")
    for name in ("compiled anew", "from disk"):
        found = of(name, "first_forward_secs")
        row(f"first forward, {name}, more than without kernels, s", cell(None if found is None else found - first))
    errors = [of(f"cut, {name}", "rel_l2") for name in ("kernels on", "kernels off", "diffusers")]
    row("4 + 4 blocks against f32: on / off / diffusers", " / ".join(cell(error, "{:.3e}") for error in errors))
    row("4 + 4 blocks: streamed has the bits of resident", str(bool(of("cut, streamed against resident", "same_bits"))))
    for case in ("base", "small"):
        launches = (cell(of(f"{case}, kernels {kernels}", "launch_secs")) for kernels in ("on", "off"))
        row(f"launching a forward, {CASES[case]}, on / off, s", " / ".join(launches))


if __name__ == "__main__":
    main(sys.argv[1])
