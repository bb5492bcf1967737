"""Prints what the results of this benchmark say as Markdown; what is missing shows as a dash.

    table.py results.jsonl [--into docs/PERFORMANCE.md]

With --into, the text between the file's two marks is replaced.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

GIB = 2**30
MODES_GIB = (24, 16, 12, 8, 6)
STARTED_AND_DONE = ("first_forward_started_secs", "first_forward_done_secs")
BEGIN, END = "<!-- memory-modes: made by bench/memory-modes/table.py -->\n", "<!-- memory-modes: end -->\n"

# Digits, scale and name of the units that fields end in.
UNITS = {"secs": (3, 1, " s"), "bytes": (2, GIB, " GiB"), "share": (1, 0.01, " %")}
ABOUT_THE_RUN = ("exit_status", "wall_secs", "runs_secs")

# The table of the Python application whose features are rebuilt here: mode, device GB, host GB, speed; and the largest
# of our modes that is inside its device memory.
PYTHON_MODES = [
    ("Standard", "12-14", "32", "100 %", 12),
    ("BNB 4-bit", "10-12", "32", "95 %", 8),
    ("+ Quality Mode", "11-13", "32", "75 %", 12),
    ("Extreme Saving", "8-10", "32", "50 %", 8),
]


class Results:
    """The lines of a results.jsonl, those of one part taken together from its last start (null) on."""

    def __init__(self, path):
        self.parts = defaultdict(dict)
        for line in Path(path).read_text().splitlines():
            record = json.loads(line)
            if record["result"] is None:
                self.parts[record["part"]] = {}
            else:
                self.parts[record["part"]] |= record["result"]

    def get(self, part, field):
        return self.parts[part].get(field)

    def ratio(self, numerator, denominator):
        """Of two (part, field), where both were measured."""
        a, b = self.get(*numerator), self.get(*denominator)
        return a / b if a is not None and b else None

    def mode(self, gib, field):
        return self.get(f"card-{gib}", field)

    def slowdown(self, gib):
        return self.ratio((f"card-{gib}", "forward_secs"), ("unlimited", "forward_secs"))

    def same_bits(self, part):
        a, b = self.get(part, "sample_sha256"), self.get("unlimited", "sample_sha256")
        return a == b if a and b else None


def table(*rows):
    head, *body = [[str(cell) for cell in row] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *body)) + "\n"


def number(value, digits=2, scale=1, unit=""):
    return "-" if value is None else f"{value / scale:.{digits}f}{unit}"


def gib(value):
    return number(value, 2, GIB)


def gigabytes(value):
    return number(value, 1, 1e9)


def yes_no(value):
    return "-" if value is None else "yes" if value else "no"


def all_met(values):
    """False as soon as one is; True once all are known."""
    return False if False in values else None if None in values else True


def within(value, goal):
    return None if value is None else value <= goal


def at_least(value, goal):
    return None if value is None else value >= goal


def slashed(cells):
    return " / ".join(cells)


def goals(results):
    """The goals in the order in which they matter."""
    ratio, get = results.ratio, results.get
    yield "figure", "goal", "measured", "met"

    same = [results.same_bits(f"card-{mode}") for mode in MODES_GIB]
    label = "streamed = resident, bit for bit (24 / 16 / 12 / 8 / 6 GiB)"
    yield label, "yes", slashed(map(yes_no, same)), yes_no(all_met(same))

    same = results.same_bits("card-8-poisoned")
    label = "the same with NaN in every slot whose block is computed (8 GiB)"
    yield label, "yes", "- (not measured)" if same is None else yes_no(same), yes_no(same)

    speed = ratio(("resident", "forward_secs"), ("unlimited", "forward_secs"))
    yield "forward, unlimited: diffusers / framepackd", "≥ 1.0", number(speed, 3), yes_no(at_least(speed, 1.0))

    distance = get("difference", "rel_l2")
    errors = [get("difference", f"{side}_to_f32") for side in ("ours", "reference")]
    near, close = within(distance, 2e-2), None if None in errors else max(errors) <= 1.2 * min(errors)
    met = "by the next row" if close and near is False else yes_no(near)
    yield "relative L2 between the two", "≤ 2e-2, or the next row", exponent(distance), met
    blocks = number(get("machine", "cut_blocks"), 0)
    label = f"error against f32 on a cut of {blocks} + {blocks} blocks, framepackd / diffusers"
    yield label, "each ≤ 1.2 x the other", slashed(map(exponent, errors)), yes_no(close)

    for mode, goal in ((24, 1.02), (16, 1.03), (8, 1.05)):
        slower = results.slowdown(mode)
        label = f"forward, limited to {mode} GiB, over unlimited"
        yield label, f"≤ {goal}", number(slower, 3), yes_no(within(slower, goal))
    yield peak_row(results, (24, 16, 8))

    started, done = [ratio(("from-pretrained", field), ("load", field)) for field in STARTED_AND_DONE]
    label = "page cache to first forward {}: diffusers / framepackd".format
    yield label("started"), "≥ 3", number(started), yes_no(at_least(started, 3))
    yield label("done"), "", number(done), ""

    second, idle = get("job", "second_job_first_step_secs"), get("job", "section_idle_share")
    label = "second job, same prompt and image: before its first step"
    yield label, "≤ 0.3 s", number(second, 3, unit=" s"), yes_no(within(second, 0.3))
    yield "section to section: device idle", "≤ 5 %", number(idle, 1, 0.01, " %"), yes_no(within(idle, 0.05))
    yield peak_row(results, (12, 6))

    host = results.mode(8, "host_bytes")
    label = "host memory in the 8 GiB mode, transformer"
    yield label, "≤ 21 GB", number(host, 1, 1e9, " GB"), yes_no(within(host, 21e9))

    large = get("large", "forward_secs")
    label = f"16 GiB, a model of {large_shape(results)}, {gigabytes(get('large', 'host_bytes'))} GB on the host"
    yield label, "one forward completes", number(large, 2, unit=" s"), yes_no(None if large is None else True)

    plans = [ratio((f"card-{m}", "planned_peak_bytes"), (f"card-{m}", "measured_peak_bytes")) for m in MODES_GIB]
    met = all_met([None if plan is None else abs(plan - 1) <= 0.05 for plan in plans])
    label = "planned / measured peak (24 / 16 / 12 / 8 / 6 GiB)"
    yield label, "within 5 %", slashed(number(plan, 3) for plan in plans), yes_no(met)


def large_shape(results):
    blocks = results.get("machine", "large_blocks")
    return "- blocks" if blocks is None else "{} + {} blocks".format(*blocks)


def peak_row(results, modes):
    peaks = [results.mode(mode, "measured_peak_bytes") for mode in modes]
    met = all_met([within(peak, mode * GIB) for mode, peak in zip(modes, peaks)])
    label = f"peak device memory in the {slashed(map(str, modes))} GiB modes, context included, GiB"
    return label, "inside the mode", slashed(map(gib, peaks)), yes_no(met)


def exponent(value):
    return "-" if value is None else f"{value:.2e}"


def modes(results):
    yield (
        "card", "forward s", "over unlimited", "same bits", "peak planned GiB", "peak measured GiB",
        "resident blocks", "slots", "streamed GB", "host GB", "hoist s", "load s",
    )  # fmt: skip
    for label, part in [("unlimited", "unlimited"), *((f"{mode} GiB", f"card-{mode}") for mode in MODES_GIB)]:
        measured = results.parts[part]
        limited = part != "unlimited"
        mode = int(part.removeprefix("card-")) if limited else None
        yield (
            label,
            number(measured.get("forward_secs"), 3),
            number(results.slowdown(mode), 3) if limited else "",
            yes_no(results.same_bits(part)) if limited else "",
            gib(measured.get("planned_peak_bytes")),
            gib(measured.get("measured_peak_bytes")),
            number(measured.get("resident_blocks"), 0),
            number(measured.get("slots"), 0),
            gigabytes(measured.get("streamed_bytes")),
            gigabytes(measured.get("host_bytes")),
            number(measured.get("hoist_secs")),
            number(measured.get("load_secs"), 1),
        )


def references(results):
    yield "diffusers", "forward s", "over resident", "allocated GiB", "with context GiB", "set-up s"
    card = number(results.get("offloaded", "card_gib"), 0)
    offloaded = f"group offloading with a stream, {card} GiB"
    for label, part in (("all weights on the device", "resident"), (offloaded, "offloaded")):
        yield (
            label,
            number(results.get(part, "forward_secs"), 3),
            number(results.ratio((part, "forward_secs"), ("resident", "forward_secs")), 3),
            gib(results.get(part, "peak_bytes")),
            gib(results.get(part, "device_bytes")),
            number(results.get(part, "setup_secs"), 1),
        )


def cold_start(results):
    yield "page cache to", "framepackd s", "diffusers s", "diffusers / framepackd"
    for label, field in zip(("first forward started", "first forward done"), STARTED_AND_DONE):
        sides = ("load", field), ("from-pretrained", field)
        yield label, *(number(results.get(*side)) for side in sides), number(results.ratio(*reversed(sides)))
    # diffusers starts when all weights are there.
    yield (
        "all weights on the device",
        number(results.get("load", "all_resident_secs")),
        number(results.get("from-pretrained", "first_forward_started_secs")),
        number(results.ratio(("from-pretrained", "first_forward_started_secs"), ("load", "all_resident_secs"))),
    )


def jobs_and_decoding(results):
    """What the worker says of these parts, single runs aside; a field's suffix is its unit."""
    yield "`framepack-worker bench`", "figure", "measured"
    for part in ("job", "job-8", "vae-decode", "vae-decode-8"):
        facts = [fact for fact in results.parts[part].items() if fact[0] not in ABOUT_THE_RUN]
        for figure, measured in [described(*fact) for fact in facts] or [("-", "-")]:
            yield part, figure, measured


def described(field, value):
    what, _, suffix = field.rpartition("_")
    if suffix in UNITS and isinstance(value, (int, float)):
        digits, scale, unit = UNITS[suffix]
        return what.replace("_", " "), number(value, digits, scale, unit)
    return field.replace("_", " "), "-" if value is None else str(value)


def beside_python(results):
    yield (
        "Python application", "VRAM GB", "RAM GB", "speed",
        "framepackd on a card of", "peak GB", "host GB", "speed, of unlimited", "same result as unlimited",
    )  # fmt: skip
    for *theirs, mode in PYTHON_MODES:
        slower = results.slowdown(mode)
        yield (
            *theirs,
            f"{mode} GiB",
            gigabytes(results.mode(mode, "measured_peak_bytes")),
            gigabytes(results.mode(mode, "host_bytes")),
            number(None if slower is None else 1 / slower, 0, 0.01, " %"),
            yes_no(results.same_bits(f"card-{mode}")),
        )


def machine(results):
    facts = results.parts["machine"]
    if not facts:
        return "Not measured yet.\n\n"
    device = "the CPU"
    if "gpu" in facts:
        device = f"one {facts['gpu']} ({gib(facts['gpu_bytes'])} GiB, driver {facts['driver'] or 'unknown'})"
    return (
        f"Measured on {device}, {facts['cpus']} CPU cores, {gib(facts.get('host_bytes'))} GiB of host memory; "
        f"torch {facts['torch']}, diffusers {facts['diffusers']}, accelerate {facts['accelerate']}; "
        f"{facts['size']} pixels, {facts['text_tokens']} text tokens.\n\n"
    )


def markdown(results):
    sections = [
        ("Against the goals", goals),
        ("Every mode", modes),
        ("The reference", references),
        ("Cold start", cold_start),
        ("Jobs and decoding", jobs_and_decoding),
        ("Beside the Python application", beside_python),
    ]
    return machine(results) + "".join(f"### {title}\n\n{table(*rows(results))}" for title, rows in sections)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--into", type=Path)
    args = parser.parse_args()
    text = markdown(Results(args.results))
    if args.into is None:
        print(text, end="")
        return
    before, rest = args.into.read_text().split(BEGIN)
    args.into.write_text(before + BEGIN + "\n" + text + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
