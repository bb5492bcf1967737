"""Motion figures on held-out scenes: agreement with the prompt, displacement, two objects, timed prompts, sharpness.

The motion probe never sees the prompt. It also reads the rendered truth (its ceiling) and clips made with another clip's
prompt (agreement must follow the prompt, not the picture).
"""

import random

import torch

from captions import caption
from heldout import CHANGE_AT, generate_all, held_out, held_out_from_blank, mask_of, slide, truth
from metrics import psnr
from pool import blank_frames
from probe import displacement, read_motion, sharpness
from render import clip_times, render
from scenes import MOTIONS, OBJECT_MOTIONS

SLIDES = ["left", "right", "up", "down"]


def _read(clip, scene, device, index=0):
    other = mask_of(scene, device, 1 - index) if len(scene.things) == 2 else None
    return read_motion(clip.to(device), mask_of(scene, device, index), other)


def _share(found, wanted):
    return sum(a == b for a, b in zip(found, wanted)) / max(1, len(wanted))


def _wanted(scene):
    return scene.camera if scene.camera != "none" else (scene.things[0].motion if scene.things else "still")


def _per_motion(found, wanted):
    return {m: _share([f for f, w in zip(found, wanted) if w == m], [m] * wanted.count(m)) for m in MOTIONS}


def shuffled_prompts(generator, forward, each=8, count=2):
    """Objects with another clip's prompt: the motion must follow the prompt, not the picture."""
    scenes, texts = held_out(MOTIONS, each)
    objects = [i for i, s in enumerate(scenes) if s.camera == "none" and s.things]
    donors = objects[len(objects) // 2:] + objects[:len(objects) // 2]
    clips = generate_all(generator, [scenes[i] for i in objects], [texts[j] for j in donors], count, forward)
    seen = [_read(c, scenes[i], generator.device) for c, i in zip(clips, objects)]
    return {"clips": len(objects), "agreement_with_new_prompt": _share(seen, [_wanted(scenes[j]) for j in donors]),
            "agreement_with_own_scene": _share(seen, [_wanted(scenes[i]) for i in objects])}


def motion(generator, forward, each=8, count=2):
    """Agreement of generated clips and of the truth, for every motion."""
    device = generator.device
    scenes, texts = held_out(MOTIONS, each)
    wanted = [_wanted(s) for s in scenes]
    clips = generate_all(generator, scenes, texts, count, forward)
    found = [_read(c, s, device) for c, s in zip(clips, scenes)]
    real = [_read(truth(s, clips[0].shape[1], device), s, device) for s in scenes]
    first = [psnr(c[None, :, 0].float(), render([s], clip_times(1, 1, device), device)[:, :, 0].cpu()) for c, s in zip(clips, scenes)]
    return {"order": "forward" if forward else "backward", "sections": count, "clips": len(scenes), "steps": generator.steps,
            "agreement": _share(found, wanted), "ceiling": _share(real, wanted), "per_motion": _per_motion(found, wanted),
            "ceiling_per_motion": _per_motion(real, wanted), "first_frame_psnr": float(torch.cat(first).mean()),
            "confusions": sorted({(w, f) for f, w in zip(found, wanted) if f != w}),
            "chance_by_permuted_labels": _share(found, random.Random(3).sample(wanted, len(wanted)))}


def slides(generator, forward, each=3):
    """Way of sliding objects over one section against the rendered truth's, by adverb; sharpness of the object at the end."""
    device, rng = generator.device, random.Random(41)
    scenes = [slide(rng, m, speed) for speed in ("slow", "normal", "fast") for m in SLIDES for _ in range(each)]
    texts = [caption(rng, s) for s in scenes]
    clips = generate_all(generator, scenes, texts, 2, forward)
    ways, sharp, lost = {}, [], 0
    for clip, scene in zip(clips, scenes):
        mask, axis = mask_of(scene, device), 0 if scene.things[0].motion in ("left", "right") else 1
        made, real = (displacement(c.to(device), mask, 0, 36) for c in (clip, truth(scene, 73, device)))
        if made is None or real is None:
            lost += 1
            continue
        sign = 1 if real[axis] > 0 else -1
        ways.setdefault(scene.things[0].speed, []).append((sign * made[axis], sign * real[axis]))
        sharp.append([sharpness(clip.to(device), mask, f) for f in (0, clip.shape[1] - 1)])
    return {"order": "forward" if forward else "backward", "clips": len(scenes), "lost": lost,
            "way_over_truth": {k: sum(m for m, _ in v) / sum(t for _, t in v) for k, v in ways.items()},
            "pixels_of_truth": {k: sum(t for _, t in v) / len(v) for k, v in ways.items()},
            "sharpness_last_over_first": sum(b for _, b in sharp) / sum(a for a, _ in sharp)}


def two_objects(generator, forward, count=2, each=24):
    """Each of two objects follows its own clause."""
    device = generator.device
    scenes, texts = held_out(["right"] * each, 1, two=True)
    pairs = [(i, n) for i, s in enumerate(scenes) if len(s.things) == 2 for n in (0, 1)]
    wanted = [scenes[i].things[n].motion for i, n in pairs]
    clips = generate_all(generator, scenes, texts, count, forward)
    found = [_read(clips[i], scenes[i], device, n) for i, n in pairs]
    real = [_read(truth(scenes[i], clips[i].shape[1], device), scenes[i], device, n) for i, n in pairs]
    moving = [k for k, w in enumerate(wanted) if w != "still"]
    return {"order": "forward" if forward else "backward", "objects": len(pairs), "agreement": _share(found, wanted),
            "ceiling": _share(real, wanted), "moving_agreement": _share([found[k] for k in moving], [wanted[k] for k in moving]),
            "swapped": _share(found, [wanted[k ^ 1] for k in range(len(wanted))])}


def timed_prompts(generator, forward, each=2):
    """Two sections, two prompts: the way of the object in each half follows its half's prompt.

    Backward the clips are given their last picture: without it nothing says where the second section, made first, begins.
    """
    device, rng = generator.device, random.Random(43)
    pairs = [(a, b) for a in SLIDES for b in SLIDES if a != b] * each
    scenes = [slide(rng, a, "normal", b, CHANGE_AT) for a, b in pairs]
    texts = [[caption(rng, s), caption(rng, s, late=True)] for s in scenes]
    ends = None if forward else [truth(s, 73, device)[:, -1] for s in scenes]
    clips = generate_all(generator, scenes, texts, 2, forward, ends=ends)

    def way(clip, scene, first, last):
        moved = displacement(clip.to(device), mask_of(scene, device), first, last)
        if moved is None:
            return "lost"
        axis = 0 if abs(moved[0]) > abs(moved[1]) else 1
        return SLIDES[2 * axis + (moved[axis] > 0)] if abs(moved[axis]) > 4 else "still"

    halves = [(way(c, s, 0, 34), way(c, s, 38, 72)) for c, s in zip(clips, scenes)]
    return {"order": "forward" if forward else "backward", "end_pictures": not forward, "clips": len(pairs),
            "first_half": _share([h[0] for h in halves], [p[0] for p in pairs]),
            "second_half": _share([h[1] for h in halves], [p[1] for p in pairs]), "both": _share(halves, pairs)}


def end_frames(generator, each=2):
    """Backward clips that are given their last picture: how near the last frame is to it, and the motion."""
    device = generator.device
    moves = [m for m in OBJECT_MOTIONS if m != "still"]
    scenes, texts = held_out(moves, each)
    ends = [truth(s, 73, device)[:, -1] for s in scenes]
    clips = generate_all(generator, scenes, texts, 2, False, ends=ends)
    found = [_read(c, s, device) for c, s in zip(clips, scenes)]
    near = [float(psnr(c[None, :, -1].float().to(device), e[None])) for c, e in zip(clips, ends)]
    middle = [float(psnr(c[None, :, 36].float().to(device), truth(s, 73, device)[None, :, 36])) for c, s in zip(clips, scenes)]
    return {"clips": len(scenes), "last_frame_psnr": sum(near) / len(near), "worst_psnr": min(near),
            "middle_frame_psnr": sum(middle) / len(middle), "agreement": _share(found, [_wanted(s) for s in scenes])}


def blank_starts(generator, forward, each=1):
    """Clips from black, white and green: whether the object of the prompt is there and moves as it says.

    Nothing but the prompt tells what such a clip shows, so it is compared with what training shows for it.
    """
    device = generator.device
    scenes, texts = held_out_from_blank(each)
    pictures = blank_frames((scenes[0].height, scenes[0].width), device)
    clips = [generator(pictures[s.blank][None], [[t], [t]], 2, forward, 5, blank=True)[0] for s, t in zip(scenes, texts)]
    real = [truth(s, c.shape[1], device) for s, c in zip(scenes, clips)]
    near = [float(psnr(c[None, :, 8:], r[None, :, 8:])) for c, r in zip(clips, real)]
    empty = [float(psnr(pictures[s.blank][None, :, None].expand_as(r[None, :, 8:]), r[None, :, 8:])) for s, r in zip(scenes, real)]
    found = [_read(torch.cat([r[:, :1], c[:, 1:]], 1), s, device) for c, r, s in zip(clips, real, scenes)]
    return {"order": "forward" if forward else "backward", "clips": len(scenes), "psnr": sum(near) / len(near),
            "psnr_of_nothing": sum(empty) / len(empty), "agreement": _share(found, [_wanted(s) for s in scenes])}
