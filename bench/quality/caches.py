"""Renders with each step cache at several thresholds, and says what that saves and how far it is from no cache.

    python bench/quality/caches.py [--worker PROGRAM] [--bundle DIR] [--device cpu|cuda:N] [--only KIND …] …

One worker renders everything, each round every row once, so that what else the machine does falls on all rows alike.
Compared is with `cache.kind: off` of the same job and seed. Needs ffmpeg, and half an hour on two cores (--runs 1: a
third of that).

- Reused are the steps that took something from an earlier one, of SimCache a single block's residual even; the sequence
  has a C for each computed step and an r for each of those.
- Time is that of sampling alone, the median of --runs, over that without a cache.
- The latents' error is the L2 norm of the difference over that of those without a cache; PSNR and SSIM are of the
  frames (lossless H.264, so its loss is not in them).

A new row is an entry of ROWS.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from measures import psnr, ssim
from renders import ROOT, Failure, Job, RenderWorker, relative_l2

JOBS = {
    "original": ("astronaut.jpg", "A portrait of an astronaut, the camera slowly zooms in."),
    "f1": ("yellow-hexagon.png", "A yellow hexagon moves in a circle."),
}

# Kind, the key that decides how much it reuses, and values of it, the default among them. This model is not the published
# one: what FBCache compares differs by more than its default, and what SimCache does by so little that up to 0.99 it
# reuses all that it may.
ROWS = [
    ("teacache", "cache.threshold", (0.08, 0.15, 0.3)),
    ("magcache", "cache.threshold", (0.05, 0.1, 0.2)),
    ("fbcache", "cache.threshold", (0.035, 0.1, 0.2)),
    ("simcache", "cache.threshold", (0.9, 0.999, 0.9999)),
    ("kv", "cache.refresh", (2, 3, 5)),
]
OFF = ("off", None, None)
HEAD = ["model", "cache", "threshold", "reused", "time", "latents rel", "PSNR dB", "SSIM", "first section"]
CAVEAT = (
    "This shows that the machinery works: that each cache reuses what it says and what that does to a video of a model\n"
    "of a few million parameters. Which default is right for the 13 B model it does not show."
)


def settings(row):
    kind, key, value = row
    return {"cache.kind": kind} | ({} if key is None else {key: value})


def label(row):
    kind, key, value = row
    return kind if key is None else f"{kind} {key.removeprefix('cache.')} {value}"


def rendered(worker, job, steps, row):
    """A render in which the cache was what the row says; None, and why on stderr, if there was none."""
    try:
        render = worker.render(job, {"steps": steps, "settings": settings(row)})
    except Failure as failure:
        print(f"{job.model}, {label(row)}: {failure}", file=sys.stderr)
        return None
    used = (render.output.get("step_cache") or {}).get("kind", "off")
    if used != row[0]:
        said = [render.output[key] for key in ("inactive", "rungs", "warnings") if render.output.get(key)]
        print(f"{job.model}, {label(row)}: the cache was {used}", *said, sep="; ", file=sys.stderr)
        return None
    return render


def measured(worker, job, args, rows):
    """For each row its first render, which has the same bits as the others, and the seconds of all."""
    rendered(worker, job, 2, OFF)  # loads the models
    firsts, secs = {}, {row: [] for row in rows}
    for number in range(args.runs):
        for row in rows:
            render = rendered(worker, job, args.steps, row) if number == 0 or row in firsts else None
            if render:
                firsts.setdefault(row, render)
                secs[row].append(render.sample_secs())
                print(f"{job.model}, {label(row)}, round {number + 1}: {secs[row][-1]:.2f} s", file=sys.stderr)
    return {row: (first, statistics.median(secs[row])) for row, first in firsts.items()}


def cells(model, row, render, secs, uncached, uncached_secs):
    kind, _, value = row
    cache = render.output.get("step_cache") or {}
    sections = cache.get("sections") or [{}]
    return [
        model, kind, "" if value is None else str(value),
        f"{cache['reused']} of {cache['computed'] + cache['reused']}" if cache else "-",
        f"{secs / uncached_secs:.2f}x",
        f"{relative_l2(render.latents, uncached.latents):.2e}",
        f"{psnr(render.frames, uncached.frames):.2f}",
        f"{ssim(render.frames, uncached.frames):.4f}",
        sections[0].get("positive") or "-",
    ]  # fmt: skip


def line(columns):
    return f"| {' | '.join(columns)} |"


def arguments():
    kinds = [kind for kind, *_ in ROWS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", type=Path, default=ROOT / "target/release/framepack-worker")
    parser.add_argument("--bundle", type=Path, default=ROOT / "models/demo")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="f32", choices=("f32", "bf16", "f16"))
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1.0, help="of the video")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--models", nargs="+", default=list(JOBS), choices=list(JOBS))
    parser.add_argument("--only", nargs="+", default=kinds, choices=kinds, metavar="KIND", help=f"of {', '.join(kinds)}")
    args = parser.parse_args()
    args.bundle = args.bundle.resolve()
    return args


def main():
    args = arguments()
    rows = [OFF] + [(kind, key, value) for kind, key, values in ROWS if kind in args.only for value in values]
    missing = 0
    options = {"--device": args.device, "--dtype": args.dtype, "--spatial-tiles": "off"}
    with tempfile.TemporaryDirectory(prefix="framepack-caches.") as folder:
        with RenderWorker(args.worker, args.bundle, Path(folder) / "worker", options) as worker:
            print(f"{args.steps} steps, {args.dtype} on {args.device}, median of {args.runs}\n")
            print(f"{line(HEAD)}\n{line(['---'] * len(HEAD))}", flush=True)
            for model in args.models:
                results = measured(worker, Job(*JOBS[model], model, seed=1, seconds=args.seconds), args, rows)
                missing += len(rows) - len(results)
                if OFF in results:
                    for row, result in results.items():
                        print(line(cells(model, row, *result, *results[OFF])), flush=True)
    print(f"\n{CAVEAT}")
    return int(missing > 0)


if __name__ == "__main__":
    raise SystemExit(main())
