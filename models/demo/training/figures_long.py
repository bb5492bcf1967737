"""Figures of long clips: section borders, colour drift, photographs after five seconds of camera motion."""

import torch
import torch.nn.functional as F

from captions import CAMERA_VERBS, LATER_PHOTO_WORDS, PHOTO_WORDS
from heldout import generate_all, held_out, photo_scenes, truth
from metrics import ssim_map
from render import camera_paths, clip_times
from scenes import CAMERA_MOTIONS

STEADY = ["left", "right", "circle", "bounce", "wave", "spin", "still", "pan left"]


def _mean(values):
    return sum(values) / len(values)


def _changes(clip, count):
    """Mean change from frame to frame around section borders, and elsewhere, of 255."""
    change = clip.float().diff(dim=1).abs().mean((0, 2, 3)) * 127.5
    border = torch.zeros(len(change), dtype=torch.bool, device=change.device)
    for k in range(1, count):
        border[36 * k - 2:36 * k + 3] = True
    return float(change[border].mean()), float(change[~border].mean())


def _shift(clip):
    """Shift of the mean colour from the first to the last eight frames, of 255."""
    means = clip.float().mean((2, 3)) * 127.5
    return float((means[:, -8:].mean(1) - means[:, :8].mean(1)).abs().mean())


def seams(generator, forward, each=2, count=3):
    """Change at section borders over the change inside, and shift of the mean colour over three sections; both also of the truth.

    The truth's change is not even: objects turn back, and stop at the frame's edge. So only the excess over the truth's is a fault.
    """
    device = generator.device
    scenes, texts = held_out(STEADY, each)
    clips = generate_all(generator, scenes, texts, count, forward)
    real = [truth(scene, clip.shape[1], device) for clip, scene in zip(clips, scenes)]
    (at, inside), (real_at, real_inside) = ([_mean(v) for v in zip(*(_changes(c, count) for c in some))] for some in (clips, real))
    still = [i for i, scene in enumerate(scenes) if scene.camera == "none"]
    return {"order": "forward" if forward else "backward", "sections": count, "change_at_seams": at, "change_inside": inside,
            "seam": at / inside, "seam_of_truth": real_at / real_inside, "seam_over_truth": at / inside / (real_at / real_inside),
            "colour_drift": _mean([_shift(clips[i]) for i in still]), "colour_drift_of_truth": _mean([_shift(real[i]) for i in still])}


def _in_first_view(scene, seconds, device):
    """Where [H - 6, W - 6] a frame shows what the first frame showed too, a whole SSIM window wide."""
    at, zoom = camera_paths([scene], torch.tensor([[seconds]], device=device), device)
    h, w = scene.height, scene.width
    yy, xx = torch.meshgrid(*[(torch.arange(n, device=device) + 0.5 - n / 2) / 128 for n in (h, w)], indexing="ij")
    x, y = xx * zoom[0, 0] + at[0, 0, 0], yy * zoom[0, 0] + at[0, 0, 1]
    outside = ((x.abs() > w / 256) | (y.abs() > h / 256)).float()[None, None]
    return F.max_pool2d(outside, 7, 1)[0, 0] < 0.5


def photographs(generator, forward, count=4):
    """SSIM of the last frame to the truth's, where both show what the start picture shows."""
    device = generator.device
    scenes = photo_scenes(CAMERA_MOTIONS)
    texts = [f"{(PHOTO_WORDS.get(s.photo) or LATER_PHOTO_WORDS[s.photo])[0]}, the camera {CAMERA_VERBS[s.camera][0]}" for s in scenes]
    clips = generate_all(generator, scenes, texts, count, forward)
    scores = {}
    for clip, scene in zip(clips, scenes):
        for name, frame in (("one_second", 36), ("five_seconds", 36 * count)):
            real = truth(scene, 36 * count + 1, device)[:, frame]
            where = _in_first_view(scene, float(clip_times(1, frame + 1, device)[0, -1]), device)
            value = ssim_map(clip[None, :, frame].float().to(device), real[None])[0].mean(0)[where].mean()
            still = ssim_map(clip[None, :, 0].float().to(device), real[None])[0].mean(0)[where].mean()
            scores.setdefault(name, {}).setdefault(scene.camera, []).append(float(value))
            scores.setdefault(name + "_of_a_still_picture", {}).setdefault(scene.camera, []).append(float(still))
    result = {"order": "forward" if forward else "backward", "clips": len(scenes)}
    for name, values in scores.items():
        result[name] = _mean([v for part in values.values() for v in part])
    result["five_seconds_by_motion"] = {k: _mean(v) for k, v in scores["five_seconds"].items()}
    return result
