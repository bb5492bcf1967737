"""Renders a fixed set of jobs exactly, then with one setting changed at a time, and says how far the videos are apart.

    python bench/quality/run.py [--worker PROGRAM] [--bundle DIR] [--device cpu|cuda:N] [--seconds S]

Needs ffmpeg. PSNR and SSIM are of the frames (lossless H.264, so its loss is not in them), the relative error is the L2
norm of the difference of the generated latents over that of the exact ones. A new setting is a new entry of ROWS.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from measures import psnr, ssim
from renders import ROOT, Job, RenderWorker, relative_l2

JOBS = [
    ("red-ball.png", "A red ball bounces up and down.", "original"),
    ("astronaut.jpg", "A portrait of an astronaut, the camera slowly zooms in.", "original"),
    ("yellow-hexagon.png", "A yellow hexagon moves in a circle.", "f1"),
]

EXACT = {"--dtype": "f32", "--spatial-tiles": "off"}
BASE = {"steps": 20}
LARGE = {"steps": 2, "bucket": 384}  # larger than one spatial tile; the steps don't matter to the decoder

# Name, the exact run's request, what differs: arguments of the worker, changes of the request.
ROWS = [
    ("exact, repeated", BASE, {}, {}),
    ("bf16", BASE, {"--dtype": "bf16"}, {}),
    ("10 steps instead of 20", BASE, {}, {"steps": 10}),
    ("5 steps instead of 20", BASE, {}, {"steps": 5}),
    ("spatial tiles", LARGE, {"--spatial-tiles": "on"}, {}),
]
ON_CUDA = [("f16", BASE, {"--dtype": "f16"}, {})]  # takes minutes a job on a CPU


def render(args, options, changes, folder):
    """Renders all jobs with one worker: the seconds of all, and the renders."""
    with RenderWorker(args.worker, args.bundle, folder, {"--device": args.device, **options}) as worker:
        jobs = (Job(*job, seed=number, seconds=args.seconds) for number, job in enumerate(JOBS, 1))
        renders = [worker.render(job, changes) for job in jobs]
    return sum(render.secs for render in renders), renders


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", type=Path, default=ROOT / "target/release/framepack-worker")
    parser.add_argument("--bundle", type=Path, default=ROOT / "models/demo")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=1.0)
    args = parser.parse_args()

    print(f"{'setting':24} {'PSNR dB':>8} {'SSIM':>7} {'latents rel':>11} {'time':>6}")
    with tempfile.TemporaryDirectory() as temporary:
        runs = (Path(temporary) / str(number) for number in range(1000))
        exact_runs = {}
        for name, base, options, changes in ROWS + ON_CUDA * args.device.startswith("cuda"):
            key = json.dumps(base)
            if key not in exact_runs:
                exact_runs[key] = render(args, EXACT, base, next(runs))
            exact_secs, exact = exact_runs[key]
            secs, changed = render(args, {**EXACT, **options}, {**base, **changes}, next(runs))
            pairs = list(zip(changed, exact))
            quality = np.mean([psnr(a.frames, b.frames) for a, b in pairs])
            structure = np.mean([ssim(a.frames, b.frames) for a, b in pairs])
            error = np.mean([relative_l2(a.latents, b.latents) for a, b in pairs])
            print(f"{name:24} {quality:8.2f} {structure:7.4f} {error:11.2e} {secs / exact_secs:5.2f}x", flush=True)


if __name__ == "__main__":
    main()
