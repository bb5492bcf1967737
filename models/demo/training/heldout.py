"""Held-out scenes, from seeds that training never used, and the clips a bundle makes of them."""

import random

import torch

from captions import caption
from render import clip_times, object_mask, render
from scenes import (BLANKS, BUCKETS, COLORS, NEVER, OBJECT_MOTIONS, SHAPES, SPEEDS, TEST_PHOTOS, TRAIN_PHOTOS, Scene, Thing, sample_scene,
                    scene_from_blank)

HELD_OUT_SEED = 777_000_000
SQUARE = BUCKETS[2]
CHANGE_AT = 36 / 30  # seconds: the border of two sections


def held_out(motions, each, two=False):
    """Scenes and prompts of every motion, `each` times."""
    rng = random.Random(HELD_OUT_SEED)
    scenes = [sample_scene(rng, SQUARE, motion=m, photos=TRAIN_PHOTOS + TEST_PHOTOS, two=two) for m in motions for _ in range(each)]
    return scenes, [caption(rng, s) for s in scenes]


def held_out_from_blank(each):
    """Scenes and prompts for starts from black, white and green, `each` times for every motion."""
    rng = random.Random(HELD_OUT_SEED + 1)
    found = []
    for motion in OBJECT_MOTIONS * each:
        scene = scene_from_blank(rng, SQUARE, motion)
        while scene.blank >= len(BLANKS):
            scene = scene_from_blank(rng, SQUARE, motion)
        found.append(scene)
    return found, [caption(rng, s) for s in found]


def slide(rng, motion, speed, then="still", switch=NEVER):
    """One plain object that starts near the centre and slides on a soft ground."""
    shape, color = rng.choice(SHAPES), rng.choice(list(COLORS))
    way = {"left": (0.25, 0), "right": (-0.25, 0), "up": (0, 0.25), "down": (0, -0.25)}[motion]
    x, y = (w + rng.uniform(-0.06, 0.06) for w in way)
    thing = Thing(shape, color, "plain", motion, speed, rng.uniform(0.11, 0.15), x, y, COLORS[color], SPEEDS[speed], then)
    return Scene(*SQUARE, [thing], switch=switch, seed=rng.getrandbits(31))


def photo_scenes(motions):
    """Held-out photographs under each camera motion, at normal speed."""
    return [Scene(*SQUARE, camera=m, photo=p, photo_zoom=z, seed=17 * i + j)
            for i, m in enumerate(motions) for j, (p, z) in enumerate(zip(TEST_PHOTOS, (0.2, 0.4)))]


def first_frames(scenes, device):
    return torch.cat([render([s], clip_times(1, 1, device), device)[:, :, 0] for s in scenes])


def truth(scene, frames, device):
    return render([scene], clip_times(1, frames, device), device)[0]


def generate_all(generator, scenes, texts, count, forward_order, seed=5, ends=None):
    """One clip [3, F, H, W] per scene; `texts` holds one prompt for each, or one for each of its sections."""
    device = generator.device
    texts = [[t] * count if isinstance(t, str) else t for t in texts]
    groups = {}
    for i, (scene, sections) in enumerate(zip(scenes, texts)):
        lengths = tuple(len(generator.prompts.llama_ids(t)) for t in sections)
        groups.setdefault((lengths, scene.height), []).append(i)
    clips = [None] * len(scenes)
    for n, members in enumerate(groups.values()):
        images = first_frames([scenes[i] for i in members], device)
        prompts = [[texts[i][section] for i in members] for section in range(count)]
        wanted = None if ends is None else torch.stack([ends[i] for i in members])
        made = generator(images, prompts, count, forward_order, seed + n, wanted)
        for i, clip in zip(members, made):
            clips[i] = clip.half().cpu()
    return clips


def mask_of(scene, device, index=0):
    return object_mask(scene, device, index) if scene.things else None
