"""Renders a fixed set of jobs exactly, then with one setting changed at a time, and says how far the videos are apart.

    python bench/quality/run.py [--worker PROGRAM] [--bundle DIR] [--device cpu|cuda:N] [--seconds S]

Needs ffmpeg. PSNR and SSIM are of the frames (lossless H.264, so its loss is not in them), the relative error is the L2
norm of the difference of the generated latents over that of the exact ones. A new setting is a new entry of ROWS.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from measures import psnr, ssim

ROOT = Path(__file__).resolve().parents[2]
INPUTS = ROOT / "jobs/examples/inputs"

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
    """Renders all jobs with one worker; seconds, and for each job its frames and latents."""
    folder.mkdir()
    worker = subprocess.Popen(
        [args.worker, "serve", "--device", args.device, "--state-dir", folder, *(word for pair in options.items() for word in pair)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    read = iter(worker.stdout.readline, "")
    if json.loads(next(read))["type"] != "ready":
        raise RuntimeError("the worker is not ready")
    results, start = [], time.perf_counter()
    for number, (image, prompt, model) in enumerate(JOBS, 1):
        work = folder / str(number)
        work.mkdir()
        request = {
            "type": "render", "job": number, "name": Path(image).stem, "bundle": str(args.bundle), "f1_bundle": None,
            "model": model, "image": str(INPUTS / image), "image_name": image, "prompt": prompt, "negative_prompt": "", "seed": number,
            "length_secs": args.seconds, "steps": None, "guidance": {"distilled": 10.0, "cfg": 1.0, "rescale": 0.0},
            "bucket": None, "latent_window": None, "crf": 0, "output": str(work / "video.mp4"), "work_dir": str(work),
            **changes,
        }  # fmt: skip
        worker.stdin.write(json.dumps(request) + "\n")
        worker.stdin.flush()
        answer = next(m for m in map(json.loads, read) if m["type"] in ("done", "failed"))
        if answer["type"] == "failed":
            raise RuntimeError(answer["failure"]["message"])
        plan = answer["output"]["plan"]
        results.append((frames(work / "video.mp4", plan), load_file(work / "latents.safetensors")["latents"]))
    secs = time.perf_counter() - start
    worker.stdin.close()
    worker.wait()
    return secs, results


def frames(path, plan):
    """Luma of a video, (frames, height, width) in 0 to 1."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, np.uint8).reshape(plan["frames"], plan["height_px"], plan["width_px"]) / 255


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
            quality = np.mean([psnr(a, b) for (a, _), (b, _) in pairs])
            structure = np.mean([ssim(a, b) for (a, _), (b, _) in pairs])
            error = np.mean([np.linalg.norm(a - b) / np.linalg.norm(b) for (_, a), (_, b) in pairs])
            print(f"{name:24} {quality:8.2f} {structure:7.4f} {error:11.2e} {secs / exact_secs:5.2f}x", flush=True)


if __name__ == "__main__":
    main()
