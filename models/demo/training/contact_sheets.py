"""Six frames of a generated clip for each of ten held-out prompts, as one picture. Odd rows use the forward (F1) order."""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from evaluate import generate_all, held_out, load_model
from generate import Generator
from prompt import Prompts
from scenes import BUCKETS
from train_transformer import load_vae

MOTIONS = ["right", "bounce", "circle", "up", "grow", "wave", "left", "shrink", "zoom in", "pan right"]
FRAMES = 6


def row(clip, text):
    """One strip with its prompt above."""
    picks = torch.linspace(0, clip.shape[1] - 1, FRAMES).round().long()
    strip = ((clip.float().clamp(-1, 1) + 1) * 127.5).byte()[:, picks].permute(2, 1, 3, 0).reshape(clip.shape[2], -1, 3).numpy()
    sheet = Image.new("RGB", (strip.shape[1], strip.shape[0] + 14), "white")
    sheet.paste(Image.fromarray(np.ascontiguousarray(strip)), (0, 14))
    ImageDraw.Draw(sheet).text((3, 1), text, fill="black")
    return sheet


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="+", required=True)
    parser.add_argument("--tokenizers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sections", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10)
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    prompts = Prompts(args.tokenizers)
    generator = Generator(load_model(args.weights, prompts, device, dtype), load_vae(args.vae, device, dtype), prompts, args.steps)
    scenes, texts = held_out(MOTIONS, 1, BUCKETS[2])
    rows = []
    for i, (scene, text) in enumerate(zip(scenes, texts)):
        clip, _ = generate_all(generator, [scene], [text], args.sections, i % 2 == 1, device)[0]
        rows.append(row(clip, text))
        sheet = Image.new("RGB", (rows[0].width, sum(r.height for r in rows)), "white")
        for n, r in enumerate(rows):
            sheet.paste(r, (0, sum(x.height for x in rows[:n])))
        sheet.quantize(256).save(args.out, optimize=True)


if __name__ == "__main__":
    main()
