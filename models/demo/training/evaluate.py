"""Judges a bundle on held-out clips, every figure in a process of its own, spread over the machine's GPUs."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import bundle
import figures_long
import figures_motion
import figures_vae

FIGURES = {
    "motion_backward": lambda g: figures_motion.motion(g, False),
    "motion_forward": lambda g: figures_motion.motion(g, True),
    "motion_backward_25_steps": lambda g: figures_motion.motion(g, False, each=4),
    "shuffled_prompts": lambda g: figures_motion.shuffled_prompts(g, False),
    "seams_backward": lambda g: figures_long.seams(g, False),
    "seams_forward": lambda g: figures_long.seams(g, True),
    "photographs_backward": lambda g: figures_long.photographs(g, False),
    "photographs_forward": lambda g: figures_long.photographs(g, True),
    "slides_backward": lambda g: figures_motion.slides(g, False),
    "slides_forward": lambda g: figures_motion.slides(g, True),
    "two_objects_backward": lambda g: figures_motion.two_objects(g, False),
    "two_objects_forward": lambda g: figures_motion.two_objects(g, True),
    "timed_prompts_backward": lambda g: figures_motion.timed_prompts(g, False),
    "timed_prompts_forward": lambda g: figures_motion.timed_prompts(g, True),
    "end_frames": lambda g: figures_motion.end_frames(g),
    "blank_starts_backward": lambda g: figures_motion.blank_starts(g, False),
    "blank_starts_forward": lambda g: figures_motion.blank_starts(g, True),
    "vae": lambda g: figures_vae.scenes(g.vae, g.device),
    "vae_held_out_photos_among_scenes": lambda g: figures_vae.scenes(g.vae, g.device, figures_vae.TEST_PHOTOS),
    "vae_held_out_photos": lambda g: figures_vae.photos(g.vae, g.device),
    "vae_flat_colors": lambda g: figures_vae.flat_colors(g.vae, g.device),
}
STEPS = {"motion_backward_25_steps": 25}


@torch.no_grad()
def measure(name, folder):
    torch.manual_seed(0)  # the leaves of held-out grounds are made from it
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return FIGURES[name](bundle.load(folder, device, STEPS.get(name, 10)))


def measure_all(names, folder, out, at_once):
    """Measures figures in processes of their own and keeps what is there after each."""
    devices, waiting, running, figures = max(1, torch.cuda.device_count()), list(names), {}, {}
    started = time.time()
    with tempfile.TemporaryDirectory() as parts:
        while waiting or running:
            while waiting and len(running) < at_once * devices:
                name = waiting.pop(0)
                used = [gpu for gpu, _ in running.values()]
                gpu = min(range(devices), key=used.count)
                command = [sys.executable, __file__, "--bundle", folder, "--only", name, "--out", f"{parts}/{name}.json"]
                running[name] = gpu, subprocess.Popen(command, env={**os.environ, "CUDA_VISIBLE_DEVICES": str(gpu)})
            time.sleep(0.2)
            for name in [n for n, (_, p) in running.items() if p.poll() is not None]:
                _, process = running.pop(name)
                if process.returncode == 0:
                    figures |= json.loads(Path(parts, f"{name}.json").read_text())
                print(name, process.returncode, round(time.time() - started), "s", flush=True)
                ordered = {n: figures[n] for n in FIGURES if n in figures}
                out.write_text(json.dumps(ordered, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="figures as JSON")
    parser.add_argument("--only", nargs="+", choices=list(FIGURES), help="some of the figures")
    parser.add_argument("--at-once", type=int, default=5, help="processes on each GPU")
    args = parser.parse_args()
    names = args.only or list(FIGURES)
    if len(names) == 1:
        args.out.write_text(json.dumps({names[0]: measure(names[0], args.bundle)}, indent=1) + "\n")
    else:
        measure_all(names, args.bundle, args.out, args.at_once)


if __name__ == "__main__":
    main()
