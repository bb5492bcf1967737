"""Contact sheets of a bundle on held-out scenes: motions, photographs, and what a section loop can be given besides."""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

import bundle
from captions import caption
from figures_motion import SLIDES
from heldout import CHANGE_AT, generate_all, held_out, photo_scenes, slide, truth
from pool import blank_frames
from scenes import CAMERA_MOTIONS, Scene

MOTIONS = ["right", "bounce", "circle", "up", "grow", "wave", "left", "shrink", "spin", "zoom in", "pan right"]
FRAMES = 6


def row(clip, text):
    """One strip with its prompt above."""
    picks = torch.linspace(0, clip.shape[1] - 1, FRAMES).round().long()
    strip = ((clip.float().clamp(-1, 1) + 1) * 127.5).byte()[:, picks].permute(2, 1, 3, 0).reshape(clip.shape[2], -1, 3).numpy()
    sheet = Image.new("RGB", (strip.shape[1], strip.shape[0] + 14), "white")
    sheet.paste(Image.fromarray(np.ascontiguousarray(strip)), (0, 14))
    ImageDraw.Draw(sheet).text((3, 1), text, fill="black")
    return sheet


def stack(rows, path):
    sheet = Image.new("RGB", (rows[0].width, sum(r.height for r in rows)), "white")
    top = 0
    for r in rows:
        sheet.paste(r, (0, top))
        top += r.height
    sheet.quantize(256).save(path, optimize=True)


def motions(generator):
    """One scene of each motion, two sections, orders in turn."""
    scenes, texts = held_out(MOTIONS, 1)
    return [row(generate_all(generator, [s], [t], 2, i % 2 == 1)[0], t) for i, (s, t) in enumerate(zip(scenes, texts))]


def photographs(generator):
    """Five seconds of camera motion over held-out photographs, and over one that training saw."""
    scenes = photo_scenes(CAMERA_MOTIONS) + [Scene(128, 128, camera="zoom in", photo="astronaut", photo_zoom=0.3, seed=5)]
    rng = random.Random(6)
    texts = [caption(rng, s) for s in scenes]
    return [row(generate_all(generator, [s], [t], 4, i % 2 == 1)[0], t) for i, (s, t) in enumerate(zip(scenes, texts))]


def loops(generator):
    """Timed prompts in both orders, end pictures, starts without a picture."""
    rng, rows = random.Random(8), []
    for i, (first, then) in enumerate(zip(SLIDES, SLIDES[2:] + SLIDES[:2])):
        scene = slide(rng, first, "normal", then, CHANGE_AT)
        texts = [caption(rng, scene), caption(rng, scene, late=True)]
        rows.append(row(generate_all(generator, [scene], [texts], 2, i % 2 == 1)[0], " | ".join(texts)))
    scenes, texts = held_out(["right", "grow", "circle"], 1)
    for scene, text in zip(scenes, texts):
        end = truth(scene, 73, generator.device)[:, -1]
        rows.append(row(generate_all(generator, [scene], [text], 2, False, ends=[end])[0], f"to an end picture: {text}"))
    for frame, name in zip(blank_frames((128, 128), generator.device), ("black", "white", "green")):
        text = "a red ball bounces up and down"
        rows.append(row(generator(frame[None], [[text], [text]], 2, False, 3)[0].cpu(), f"from {name}: {text}"))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--steps", type=int, default=10)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    generator = bundle.load(args.bundle, "cuda" if torch.cuda.is_available() else "cpu", args.steps)
    with torch.no_grad():
        for sheet in (motions, photographs, loops):
            stack(sheet(generator), args.out / f"{sheet.__name__}.png")


if __name__ == "__main__":
    main()
