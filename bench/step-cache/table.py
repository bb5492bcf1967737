"""Prints what results.jsonl of this benchmark says as Markdown: a row a cache, and the goals.

    table.py results.jsonl
"""

import json
import statistics
import sys
from pathlib import Path

GIB = 2**30
NAMES = {
    "off": "no cache", "teacache": "TeaCache", "diffusers": "diffusers, TeaCache", "magcache": "MagCache",
    "fbcache": "FBCache", "simcache": "SimCache", "kv": "KV",
}  # fmt: skip
HEAD = ["cache", "computed step s", "reused step ms", "section s", "before it s", "steps", "peak GiB", "sequence"]
LEAST_RATIO, WANTED_RATIO = 1.0, 1.05
FRAMEPACK_REUSED_SECS = 9.2e-3  # of its own transformer, on an H100


def read(path):
    """The facts of the run, and the result of each row."""
    facts, results = {}, {}
    for line in Path(path).read_text().splitlines():
        record = json.loads(line)
        if record["row"] == "machine":
            facts |= record["result"]
        else:
            results[record["row"]] = record["result"]
    return facts, results


def sequence(result):
    """A C for each computed step, an r for each that reused; without a cache the worker names none."""
    return result.get("computed") or "C" * len(result.get("step_secs", []))


def step_secs(result, letter):
    """The median of the steps with that letter; the first step is left out, since it may do what is done once."""
    steps = list(zip(sequence(result), result.get("step_secs", [])))[1:]
    secs = [secs for step, secs in steps if step == letter]
    return statistics.median_low(secs) if secs else None


def cell(value, form, scale=1):
    return "-" if value is None else form.format(value / scale)


def row(name, result):
    steps = sequence(result)
    return [
        NAMES[name],
        cell(step_secs(result, "C"), "{:.3f}"),
        cell(step_secs(result, "r"), "{:.2f}", 1e-3),
        cell(result.get("section_secs"), "{:.2f}"),
        cell(result.get("hoist_secs"), "{:.2f}"),
        f"{steps.count('C')} + {steps.count('r')}" if steps else "-",
        cell(result.get("peak_device_bytes"), "{:.2f}", GIB),
        steps or "-",
    ]


def ratio(a, b):
    return a / b if a is not None and b else None


def judged(value, met):
    return "-" if value is None else "yes" if met(value) else "no"


def goals(results):
    """For each goal its words, what was measured, and whether it is met."""
    ours, theirs = results.get("teacache", {}), results.get("diffusers", {})
    if sequence(ours) != sequence(theirs):
        ours, theirs = {}, {}
    # diffusers evaluates in every step what framepackd evaluates before the first one of a job.
    all_secs = ours["section_secs"] + ours["hoist_secs"] if "hoist_secs" in ours else None
    section = ratio(theirs.get("section_secs"), all_secs)
    for bound in (LEAST_RATIO, WANTED_RATIO):
        words = f"section with TeaCache and what is evaluated before it: diffusers / framepackd, at least {bound}"
        yield words, cell(section, "{:.3f}"), judged(section, lambda value: value >= bound)
    for letter, words in (("C", "computed step"), ("r", "reused step")):
        compared = ratio(step_secs(theirs, letter), step_secs(ours, letter))
        yield f"{words} with TeaCache: diffusers / framepackd", cell(compared, "{:.3f}"), ""
    reused = step_secs(ours, "r")
    words = f"reused step with TeaCache, ms; FramePack's is {FRAMEPACK_REUSED_SECS * 1e3:.1f} on an H100"
    yield words, cell(reused, "{:.2f}", 1e-3), judged(reused, lambda value: value <= FRAMEPACK_REUSED_SECS)
    overhead = ratio(step_secs(ours, "C"), step_secs(results.get("off", {}), "C"))
    yield "computed step with TeaCache over one without a cache", cell(overhead, "{:.3f}"), ""


def line(columns):
    return f"| {' | '.join(columns)} |"


def main(path):
    facts, results = read(path)
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    print(f"\n{line(HEAD)}\n{line(['---'] * len(HEAD))}")
    for name in NAMES:
        if name in results:
            print(line(row(name, results[name])))
    for name, result in results.items():
        if "error" in result:
            print(f"\n{NAMES[name]}: {result['error']}")
    print("\nBefore it: what depends on timestep, prompt and image only, once for all sections of a job.")
    print("Steps: computed + reused. Seconds of a step are medians, each synchronised; the section's are not.")
    print("\n| goal | measured | met |\n| --- | --- | --- |")
    for cells in goals(results):
        print(line(cells))


if __name__ == "__main__":
    main(sys.argv[1])
