"""Image preparation: the size buckets, Pillow's resize, and SigLIP's input."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

# (height, width). 640 is FramePack's own list; the others are FramePack-Studio's.
BUCKETS = {
    128: [(96, 160), (112, 144), (128, 128), (144, 112), (160, 96)],
    256: [(192, 320), (224, 288), (256, 256), (288, 224), (320, 192)],
    384: [(256, 512), (320, 448), (384, 384), (448, 320), (512, 256)],
    512: [(352, 704), (384, 640), (448, 576), (512, 512), (576, 448), (640, 384), (704, 352)],
    640: [
        (416, 960), (448, 864), (480, 832), (512, 768), (544, 704), (576, 672), (608, 640),
        (640, 608), (672, 576), (704, 544), (768, 512), (832, 480), (864, 448), (960, 416),
    ],
    768: [
        (512, 1024), (576, 896), (640, 832), (704, 768), (768, 768),
        (768, 704), (832, 640), (896, 576), (1024, 512),
    ],
}  # fmt: skip


def find_bucket(height: int, width: int, resolution: int) -> tuple[int, int]:
    """Height and width of the bucket nearest in shape.

    At 640 FramePack compares cross products and takes the last of equals; elsewhere FramePack-Studio
    compares aspect ratios and takes the first.
    """
    if resolution == 640:
        best, chosen = float("inf"), None
        for h, w in BUCKETS[640]:
            if abs(height * w - width * h) <= best:
                best, chosen = abs(height * w - width * h), (h, w)
        return chosen
    table = BUCKETS[min(BUCKETS, key=lambda key: abs(key - resolution))]
    return min(table, key=lambda size: abs(size[1] / size[0] - width / height))


def resize_and_center_crop(image: Image.Image, height: int, width: int) -> Image.Image:
    if image.size == (width, height):
        return image
    scale = max(width / image.width, height / image.height)
    resized = (round(image.width * scale), round(image.height * scale))
    image = image.resize(resized, Image.Resampling.LANCZOS)
    left, top = (resized[0] - width) / 2, (resized[1] - height) / 2
    return image.crop(tuple(round(edge) for edge in (left, top, left + width, top + height)))


def preprocess(image: Image.Image, resolution: int) -> Image.Image:
    image = image.convert("RGB")
    return resize_and_center_crop(image, *find_bucket(image.height, image.width, resolution))


def to_pixels(image: Image.Image) -> torch.Tensor:
    """The VAE's input: f32 [1,3,1,H,W] in [-1, 1]."""
    array = torch.from_numpy(np.array(image)).float() / 127.5 - 1
    return array.permute(2, 0, 1)[None, :, None]


def photo_like(height: int, width: int, seed: int) -> Image.Image:
    """Random noise over a gradient: every code path of a resampler, and no flat areas."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    ramp = np.stack([255 * y / max(height - 1, 1), 255 * x / max(width - 1, 1), (x * 7 + y * 13) % 256], axis=-1)
    noise = random.integers(-90, 90, size=(height, width, 3))
    return Image.fromarray(np.clip(ramp + noise, 0, 255).astype(np.uint8))
