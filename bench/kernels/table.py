"""Prints what results.jsonl says as Markdown.

    table.py results.jsonl
"""

import json
import sys
from pathlib import Path

GIB = 2**30
CASES = {
    "base": "608x640, 60 text tokens",
    "wide": "480x832",
    "small": "384x384",
    "f1": "608x640, 512 text tokens, F1's history",
}


def read(path):
    """Results by name; diffusers' by case and way."""
    results = {}
    for line in Path(path).read_text().splitlines():
        result = json.loads(line)
        name = f"{result['case']}, diffusers {result['way']}" if "way" in result else result["name"]
        results[name] = result
    return results


def cell(value, form="{:.3f}"):
    return "-" if value is None else form.format(value)


def ratio(a, b):
    return a / b if a is not None and b else None


def table(*columns):
    print("\n| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))


def row(*cells):
    print("| " + " | ".join(cells) + " |")


def main(path):
    results = read(path)

    def of(name, field="forward_secs", scale=1):
        value = results.get(name, {}).get(field)
        return None if value is None else value / scale

    table("forward, bf16", "on, s", "off, s", "eager, s", "compiled, s", "eager / on", "compiled / on", "off: bits of diffusers")
    for case, label in CASES.items():
        on, off = of(f"{case}, kernels on"), of(f"{case}, kernels off")
        eager, compiled = of(f"{case}, diffusers eager"), of(f"{case}, diffusers compiled")
        same = {True: "same", False: "others", None: "-"}[of(f"{case}, kernels off against diffusers", "same_bits")]
        row(label, *map(cell, (on, off, eager, compiled, ratio(eager, on), ratio(compiled, on))), same)

    table("part", "on, ms", "share of the limit", "off, ms", "share of the limit")
    on, off = (results.get(f"base, kernels {kernels}", {}).get("profile") or [] for kernels in ("on", "off"))
    for a, b in zip(on, off, strict=False):
        row(a["part"], *(cell(part[field], form) for part in (a, b) for field, form in (("millis", "{:.1f}"), ("share_of_limit", "{:.2f}"))))

    table("figure", "measured")
    row("8 GiB / unlimited", cell(ratio(of("8 GiB"), of("base, kernels on"))))
    row("6 GiB / unlimited", cell(ratio(of("6 GiB"), of("base, kernels on"))))
    for card in (8, 6):
        row(f"{card} GiB: bits of the unlimited", str(of(f"{card} GiB against unlimited", "same_bits")))
        row(f"{card} GiB: planned / peak", cell(ratio(of(f"{card} GiB", "planned_peak_bytes"), of(f"{card} GiB", "measured_peak_bytes"))))
    row("peak of torch's memory, on / off, GiB", " / ".join(cell(of(f"base, kernels {k}", "peak_bytes", GIB)) for k in ("on", "off")))
    first = of("without", "first_forward_secs")
    for name in ("compiled anew", "from disk"):
        found = of(name, "first_forward_secs")
        row(f"first forward, {name}, more than without kernels, s", cell(None if found is None else found - first))
    errors = [of(f"cut, {name}", "rel_l2") for name in ("kernels on", "kernels off", "diffusers")]
    row("4 + 4 blocks against f32: on / off / diffusers", " / ".join(cell(error, "{:.3e}") for error in errors))
    row("4 + 4 blocks: streamed has the bits of resident", str(of("cut, streamed against resident", "same_bits")))
    row("launching a forward, on / off, s", " / ".join(cell(of(f"base, kernels {k}", "launch_secs")) for k in ("on", "off")))
    row("launching a forward of 384x384, on / off, s", " / ".join(cell(of(f"small, kernels {k}", "launch_secs")) for k in ("on", "off")))


if __name__ == "__main__":
    main(sys.argv[1])
