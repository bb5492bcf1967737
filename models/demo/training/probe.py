"""Reads the motion of a clip without knowing its prompt, by classical means.

1. Camera: one pan or zoom between frames 15 apart that explains the clip better than a still camera.
2. Otherwise the object of the start picture (its outline there is given) is segmented by colour and by difference from
   the still background; its path, size and rotation decide.
"""

import math

import torch
import torch.nn.functional as F

GAP = 15
PANS = [0.02 * i for i in range(-6, 7) if i]  # units per gap
ZOOMS = [math.exp(0.02 * i) for i in range(-6, 7) if i]


def _warp_errors(a, b, shift, scale, rows):
    """Mean robust distance of frames b [n, 3, H, W] to frames a seen by a camera moved by `shift` units and `scale`; and to a itself."""
    h, w = a.shape[2:]
    yy, xx = torch.meshgrid(torch.linspace(-1 + 1 / h, 1 - 1 / h, h, device=a.device),
                            torch.linspace(-1 + 1 / w, 1 - 1 / w, w, device=a.device), indexing="ij")
    grid = torch.stack([xx * scale + shift * 256 / w, yy * scale], -1)
    inside = (grid.abs().amax(-1) < 0.98) & (torch.maximum(xx.abs(), yy.abs()) < 0.95) & rows
    moved = F.grid_sample(a, grid[None].expand(len(a), -1, -1, -1), align_corners=False, padding_mode="border")
    errors = [(x - b).abs().mean(1).clamp(max=0.3)[:, inside].mean() for x in (moved, a)]
    return [float(e) for e in errors]


def camera_motion(frames, mask=None):
    """'pan left', 'pan right', 'zoom in', 'zoom out' or None for frames [F, 3, H, W].

    An object sliding over a smooth ground looks like a pan, so pans are judged on the rows without the object.
    """
    small = F.avg_pool2d(frames, 2)
    a, b = small[:-GAP:5], small[GAP::5]
    every = torch.ones(a.shape[2], 1, dtype=torch.bool, device=a.device)
    rows = every
    if mask is not None:
        rows = ~(F.max_pool2d(mask[None, None].float(), 9, 2, 4)[0, 0].amax(1, keepdim=True) > 0)
        rows = rows if rows.sum() > 8 else every
    best = (1.0, 0.0, 1.0)
    for shift, scale in [(p, 1.0) for p in PANS] + [(0.0, z) for z in ZOOMS]:
        error, still = _warp_errors(a, b, shift, scale, rows if shift else every)
        ratio = error / max(still, 2e-3) if still > 0.005 else 1.0
        if ratio < best[0]:
            best = (ratio, shift, scale)
    ratio, shift, scale = best
    if ratio > 0.85:
        return None
    if shift:
        return "pan right" if shift > 0 else "pan left"
    return "zoom in" if scale < 1 else "zoom out"


def _palette(pixels, count=6):
    """Means of `count` clusters of pixels [n, 3]."""
    centres = pixels[torch.linspace(0, len(pixels) - 1, count, device=pixels.device).long()].clone()
    for _ in range(8):
        owner = torch.cdist(pixels, centres).argmin(1)
        for i in range(count):
            if (owner == i).any():
                centres[i] = pixels[owner == i].mean(0)
    return centres


def _followed(found, mask, reach=10):
    """Of the pixels found, those that the outlined object can have come to since the frame before; what it came to where none are."""
    yy = torch.arange(mask.shape[0], device=mask.device)[:, None] + 0.5
    xx = torch.arange(mask.shape[1], device=mask.device)[None, :] + 0.5
    last, kept = mask.float(), []
    for frame in found:
        area = last.sum()
        away = ((xx - (last * xx).sum() / area).square() + (yy - (last * yy).sum() / area).square()).sqrt()
        frame = frame * (away < 1.2 * (area / math.pi).sqrt() + reach)
        last = frame if frame.sum() > 8 else last
        kept.append(frame)
    return torch.stack(kept)


def segment(frames, mask, other=None):
    """Object masks [F, H, W] for a still camera from the start outline `mask` [H, W]; `other` outlines a second object."""
    first = frames[0]
    core = -F.max_pool2d(-mask[None, None].float(), 3, 1, 1)[0, 0] > 0.5
    palette = _palette(first.permute(1, 2, 0)[core if core.sum() > 12 else mask])
    ring = (F.max_pool2d(mask[None, None].float(), 13, 1, 6)[0, 0] > 0.5) & (F.max_pool2d(mask[None, None].float(), 5, 1, 2)[0, 0] < 0.5)
    behind = _palette(first.permute(1, 2, 0)[ring], 4)
    pixels = frames.permute(0, 2, 3, 1)
    to_object = torch.cdist(pixels.flatten(0, 2), palette).amin(1).view(pixels.shape[:3])
    to_ground = (pixels - pixels[:1]).norm(dim=-1)
    covered = F.max_pool2d(mask[None, None].float(), 5, 1, 2)[0, 0] > 0.5
    to_behind = torch.cdist(pixels.flatten(0, 2), behind).amin(1).view(pixels.shape[:3])
    to_ground = torch.where(covered[None], to_behind, to_ground)
    found = to_object < to_ground - 0.06
    if other is not None:
        theirs = torch.cdist(pixels.flatten(0, 2), _palette(first.permute(1, 2, 0)[other])).amin(1).view(pixels.shape[:3])
        found &= to_object < theirs
    found = found.float()[:, None]
    found = (F.avg_pool2d(found, 5, 1, 2)[:, 0] * found[:, 0] > 0.45).float()
    return found if other is None else _followed(found, mask)


def _rotation(frames, x, y, radius, gap=3, most=12):
    """Mean rotation in radians between frames `gap` apart, from polar resampling around the object."""
    angles = torch.linspace(0, 2 * math.pi, 73, device=frames.device)[:-1]
    radii = torch.linspace(0.25, 1.0, 10, device=frames.device)[:, None] * radius
    h, w = frames.shape[2:]
    gx = (x[:, None, None] + radii * angles.cos()) / (w / 2) - 1
    gy = (y[:, None, None] + radii * angles.sin()) / (h / 2) - 1
    polar = F.grid_sample(frames, torch.stack([gx, gy], -1), align_corners=False)
    polar = polar - polar.mean(3, keepdim=True)
    a, b = polar[:-gap], polar[gap:]
    shifts = list(range(-most, most + 1))
    scores = torch.stack([(a.roll(s, 3) - b).square().mean() for s in shifts])
    best = int(scores.argmin())
    still = scores[most]
    energy = 0.5 * (a.square().mean() + b.square().mean())
    if scores[best] > 0.85 * still or still < 0.03 * energy:
        return 0.0
    return shifts[best] * 2 * math.pi / 72


def _paths(frames, mask, other=None):
    """Object masks, and centroids and areas of the frames that show it."""
    masks = segment(frames, mask, other)
    area = masks.sum((1, 2))
    yy = torch.arange(mask.shape[0], device=frames.device)[None, :, None] + 0.5
    xx = torch.arange(mask.shape[1], device=frames.device)[None, None, :] + 0.5
    seen = area > 8
    x, y = ((masks * axis).sum((1, 2))[seen] / area[seen] for axis in (xx, yy))
    return masks, seen, x, y, area[seen]


def object_motion(frames, mask, other=None):
    """Motion of the object outlined by `mask` in the first frame, beside one outlined by `other`."""
    step = 2
    frames = frames[::step]
    masks, seen, x, y, size = _paths(frames, mask, other)
    if seen.float().mean() < 0.5:
        return "lost"
    px, py = _smooth(x) / 128, _smooth(y) / 128
    range_x, range_y = float(px.max() - px.min()), float(py.max() - py.min())
    growth = float(size[-6:].median() / size[:4].median())
    far = max(range_x, range_y)
    if far < 0.07:
        if growth > 1.25:
            return "grow"
        if growth < 0.8:
            return "shrink"
        radius = float((mask.sum() / math.pi).sqrt()) * 1.1
        turn = _rotation(frames[seen], x.mean().expand(len(x)), y.mean().expand(len(y)), radius)
        return "spin" if turn else "still"
    if min(range_x, range_y) > 0.35 * far and min(range_x, range_y) > 0.05:
        return "circle"
    along, names = (px, ("left", "right", "wave")) if range_x > range_y else (py, ("up", "down", "bounce"))
    net, path = float(along[-1] - along[0]), float(along.diff().abs().sum())
    if path > 1.5 * abs(net) + 0.02:
        return names[2]
    return names[0] if net < 0 else names[1]


def _smooth(x):
    return F.avg_pool1d(x[None, None], 5, 1, 2, count_include_pad=False)[0, 0]


def as_frames(clip):
    """Frames [F, 3, H, W] in [0, 1] of a clip [3, F, H, W] in [-1, 1]."""
    return ((clip.float().clamp(-1, 1) + 1) / 2).transpose(0, 1)


def displacement(clip, mask, first, last):
    """Way (x, y) in pixels that the outlined object goes between two frames, or None where it is lost."""
    masks, seen, x, y, _ = _paths(as_frames(clip), mask)
    if not (seen[first:first + 3].any() and seen[last - 2:last + 1].any()):
        return None
    number = seen.long().cumsum(0) - 1

    def where(span):
        index = number[span][seen[span]]
        return x[index].mean(), y[index].mean()

    (ax, ay), (bx, by) = where(slice(first, first + 3)), where(slice(last - 2, last + 1))
    return float(bx - ax), float(by - ay)


def sharpness(clip, mask, frame):
    """Mean gradient of a frame on and around the object."""
    frames = as_frames(clip)[[0, frame]]
    found = segment(frames, mask)[1]
    near = F.max_pool2d(found[None, None], 7, 1, 3)[0, 0, :-1, :-1] > 0.5
    if near.sum() < 16:
        return 0.0
    image = frames[1].mean(0)
    dx, dy = image.diff(dim=1)[:-1], image.diff(dim=0)[:, :-1]
    return float((dx.square() + dy.square()).sqrt()[near].mean())


def read_motion(clip, mask=None, other=None):
    """The motion's name for a clip [3, F, H, W] in [-1, 1]; `mask` is the object's outline in the first frame, `other` a second one's."""
    frames = as_frames(clip)
    camera = camera_motion(frames, mask if other is None else mask | other)
    if camera or mask is None:
        return camera or "still"
    return object_motion(frames, mask, other)
