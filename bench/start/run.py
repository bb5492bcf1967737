"""What fast start changes: a worker that prepares before it is ready (off) beside one that does not (on).

    python3 bench/start/run.py [--device cpu|cuda:0] [--bundle FOLDER] [--runs N] [--steps N] [--warm] [--worker PROGRAM]

Each run is a new worker with a new state directory, which renders one section. The model's files are dropped from the
system's cache before it (not with --warm, nor where the system does not let us). Medians of the runs:

    ready       from the worker's start until it is ready, of it prepared
    first step  from then, when it is given its job, until the first step begins: models are loaded, prompt and picture encoded
    together    the two, one after the other
    a step      the mean of the steps but the first, up to the section's checkpoint
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "jobs/examples/inputs/astronaut.jpg"


def drop_from_cache(bundle):
    """Lets the system forget the files of a model; a hint, which needs no rights."""
    for file in bundle.rglob("*"):
        if file.is_file():
            with open(file, "rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def request(args, folder):
    work_dir = folder / "work"
    work_dir.mkdir()
    return {
        "type": "render",
        "job": 1,
        "name": "start",
        "bundle": str(args.bundle),
        "f1_bundle": None,
        "model": "original",
        "image": str(PICTURE),
        "image_name": PICTURE.name,
        "prompt": "She smiles.",
        "negative_prompt": "",
        "seed": 7,
        "length_secs": 0.1,
        "steps": args.steps,
        "guidance": {"distilled": 10.0, "cfg": 1.0, "rescale": 0.0},
        "bucket": None,
        "latent_window": None,
        "crf": 16,
        "output": str(folder / "video.mp4"),
        "work_dir": str(work_dir),
    }


def messages(worker):
    for line in worker.stdout:
        message = json.loads(line)
        if message["type"] in ("unready", "failed"):
            raise SystemExit(f"the worker failed: {json.dumps(message['failure'])}")
        yield message, time.perf_counter()


def run(args, fast_start):
    if not args.warm:
        drop_from_cache(args.bundle)
    with tempfile.TemporaryDirectory(prefix="framepack-start.") as folder:
        folder = Path(folder)
        command = [args.worker, "serve", "--device", args.device, "--state-dir", folder]
        command += ["--fast-start", fast_start, "--bundle", args.bundle]
        order = json.dumps(request(args, folder)) + "\n"
        start = time.perf_counter()
        with open(folder / "log", "w") as log:
            worker = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        try:
            heard = messages(worker)
            ready, ready_at = next(heard)
            worker.stdin.write(order)
            worker.stdin.flush()
            steps, sampled_at = [], None
            for message, at in heard:
                if message["type"] == "done":
                    latents = message["output"]["latents_sha256"]
                    break
                if message["type"] == "checkpoint":
                    sampled_at = at
                if message["type"] == "progress" and message["progress"]["phase"] == "sample":
                    steps.append(at)
            else:
                raise SystemExit("the worker ended without a video")
        finally:
            worker.stdin.close()
            worker.wait()
    return {
        "ready": ready_at - start,
        "prepared": ready.get("prepared_secs") or 0.0,
        "first_step": steps[0] - ready_at,
        "together": steps[0] - start,
        "step": (sampled_at - steps[1]) / (args.steps - 1),
        "latents": latents,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bundle", type=Path, default=ROOT / "models/demo")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10, help="of the section, 2 or more")
    parser.add_argument("--warm", action="store_true", help="leave the model's files in the system's cache")
    parser.add_argument("--worker", type=Path, default=ROOT / "target/release/framepack-worker")
    args = parser.parse_args()
    args.bundle = args.bundle.resolve()
    if args.steps < 2:
        parser.error("--steps: the first one is not counted, so there must be another")
    if not args.worker.exists():
        parser.error(f"--worker: there is no {args.worker}; `make build` makes it")

    run(args, "on")  # not counted: the program itself comes into the cache
    found = {"off": [], "on": []}
    for _ in range(args.runs):
        for fast_start, runs in found.items():
            runs.append(run(args, fast_start))
    latents = {one["latents"] for runs in found.values() for one in runs}
    state = "in the cache" if args.warm else "not in the cache"
    print(f"{args.device}, {args.bundle.name}, model {state}, medians of {args.runs}; seconds")
    print(f"{'fast start':12}{'ready':>10}{'prepared':>10}{'first step':>12}{'together':>10}{'a step':>10}")
    columns = [("ready", 10), ("prepared", 10), ("first_step", 12), ("together", 10), ("step", 10)]
    medians = {}
    for fast_start, runs in found.items():
        medians[fast_start] = {name: statistics.median(one[name] for one in runs) for name, _ in columns}
        cells = "".join(f"{medians[fast_start][name]:{width}.3f}" for name, width in columns)
        print(f"{fast_start:12}{cells}")
    ratios = ((medians["off"][name], medians["on"][name], width) for name, width in columns)
    cells = "".join(f"{off / on:{width}.2f}" if on else f"{'-':>{width}}" for off, on, width in ratios)
    print(f"{'off / on':12}{cells}")
    print(f"latents equal: {'yes' if len(latents) == 1 else 'NO'}")
    return 0 if len(latents) == 1 else 1


if __name__ == "__main__":
    raise SystemExit(main())
