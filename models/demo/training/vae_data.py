"""Clips for the VAE: the transformer's scenes with more photographs, flat colours and grey, at random times and crops."""

import torch

from aside import aside, handed
from lessons import move_photo
from render import FPS, render
from scenes import CAMERA_MOTIONS, TRAIN_PHOTOS, Scene, sample_scene

CLIP_FRAMES = 29  # two encoder tiles of 17 frames, stride 12


def vae_scene(rng, bucket, photos):
    """Like the transformer's scenes with more photographs and leaves."""
    scene = sample_scene(rng, bucket, photos=photos)
    if rng.random() < 0.4:
        scene.photo, scene.photo_zoom = rng.choice(photos), rng.random() ** 1.5
        if rng.random() < 0.7:
            scene.things, scene.camera = [], rng.choice(CAMERA_MOTIONS + ["none"])
        if rng.random() < 0.25:
            scene.photo, scene.ground = "", "leaves"
    return scene


def flat_scene(rng, bucket):
    """One colour, everywhere and always; black, white and the brightest colours more often than chance has them."""
    levels = (lambda: rng.choice((0.0, 1.0))) if rng.random() < 0.25 else rng.random
    rgb = (levels(),) * 3 if rng.random() < 0.4 else tuple(levels() for _ in range(3))
    return Scene(*bucket, ground="flat", flat_rgb=rgb, seed=rng.getrandbits(31))


def batch(rng, count, bucket, device, photos=TRAIN_PHOTOS, flat=0.0, moved=False):
    """Clips [count, 3, 29, h, w] at random times, flipped and with colour channels permuted.

    `flat` is the share of flat ones; with `moved` any part of a photograph may be in the frame.
    """
    scenes = [flat_scene(rng, bucket) if rng.random() < flat else vae_scene(rng, bucket, photos) for _ in range(count)]
    for scene in scenes if moved else ():
        move_photo(rng, scene)
    start = torch.tensor([rng.choice([0.0, rng.uniform(0, 4)]) for _ in range(count)], device=device)
    x = render(scenes, start[:, None] + (torch.arange(CLIP_FRAMES, device=device) / FPS)[None], device)
    if rng.random() < 0.5:
        x = x.flip(4)
    if rng.random() < 0.6:
        x = x[:, rng.sample(range(3), 3)]
    if flat and rng.random() < 0.15:
        x = x + 0.8 * (x.mean(1, keepdim=True) - x)
    return x


class Clips:
    """Rendered clips in memory, a few renewed at a time; each is seen several times, cut differently."""

    def __init__(self, rng, buckets, capacity, device, flat):
        self.rng, self.device, self.flat, self.made = rng, device, flat, dict.fromkeys(buckets, 0)
        self.kept = {b: torch.zeros(capacity, 3, CLIP_FRAMES, *b, dtype=torch.float16, device=device) for b in self.made}
        for bucket in self.made:
            while self.made[bucket] < capacity:
                self.add(bucket, min(16, capacity - self.made[bucket]))

    def add(self, bucket, count):
        """Renders new clips, which replace the oldest ones."""
        kept = self.kept[bucket]
        with aside(self.device):
            new = batch(self.rng, count, bucket, self.device, flat=self.flat, moved=True).half()
        slot = self.made[bucket] % len(kept)
        kept[slot:slot + count] = handed(new)[:len(kept) - slot]
        self.made[bucket] += count

    def draw(self, bucket, count, crop=None):
        """Some clips, whole or as crops."""
        height, width = bucket
        parts = []
        for _ in range(count):
            clip = self.kept[bucket][self.rng.randrange(len(self.kept[bucket]))]
            if crop:
                top, left = self.rng.randrange(height - crop + 1), self.rng.randrange(width - crop + 1)
                clip = clip[:, :, top:top + crop, left:left + crop]
                clip = clip.transpose(2, 3) if self.rng.random() < 0.3 else clip
            parts.append(clip.flip(3) if self.rng.random() < 0.5 else clip)
        return torch.stack(parts).float()
