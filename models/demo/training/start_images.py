"""Renders the start pictures of the example jobs."""

import sys
from pathlib import Path

from PIL import Image

from render import clip_times, render
from scenes import COLORS, Scene, Thing


def thing(shape, color, texture, radius, x, y):
    return Thing(shape, color, texture, "still", "normal", radius, x, y, COLORS[color], 1.0)


PICTURES = {
    "red-ball": Scene(128, 128, [thing("ball", "red", "plain", 0.16, 0.0, 0.22)], seed=11),
    "blue-star": Scene(96, 160, [thing("star", "blue", "plain", 0.16, -0.42, 0.02)], seed=25),
    "yellow-hexagon": Scene(128, 128, [thing("hexagon", "yellow", "spotted", 0.14, 0.0, -0.2)], seed=4),
    "ball-and-star": Scene(112, 144, [thing("ball", "orange", "striped", 0.12, 0.32, 0.1),
                                      thing("star", "purple", "plain", 0.11, -0.25, -0.12)], seed=8),
    "green-square": Scene(144, 112, [thing("square", "green", "plain", 0.12, 0.02, 0.05)], seed=31),
}


def main():
    folder = Path(sys.argv[1])
    for name, scene in PICTURES.items():
        frame = render([scene], clip_times(1, 1, "cpu"), "cpu")[0, :, 0]
        pixels = ((frame + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
