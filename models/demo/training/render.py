"""Scenes to pixels, vectorised over clips and frames so that a GPU renders them in milliseconds.

World coordinates are those of `scenes.py`; the camera maps pixels to the world, objects
are signed distance functions with shading and a soft shadow before a ground of `grounds.py`.
"""

import math

import torch
import torch.nn.functional as F

from grounds import TEXTURE_SIZE, textures
from motions import MOTIONS, PAN, ZOOM, place_in_two
from scenes import SHAPES, TEXTURES

FPS = 30
_profiles = {}


def _polygon(n, phase):
    a = (torch.linspace(0, 2 * math.pi, 513)[:-1] - phase) % (2 * math.pi / n) - math.pi / n
    return math.cos(math.pi / n) / torch.cos(a)


def shape_profiles(device):
    """Radius over angle of each shape [shapes, 512]; all are star-shaped."""
    if device not in _profiles:
        theta = torch.linspace(0, 2 * math.pi, 513)[:-1]
        up = -math.pi / 2
        five = ((theta - up) % (2 * math.pi / 5) - math.pi / 5).abs()  # 0 in the valleys, pi/5 at the tips
        tip, valley = torch.tensor([1.0, 0.0]), 0.45 * torch.tensor([math.cos(math.pi / 5), math.sin(math.pi / 5)])
        edge = valley - tip
        a = math.pi / 5 - five  # angle from the tip
        star = (tip[0] * edge[1] - tip[1] * edge[0]) / (torch.cos(a) * edge[1] - torch.sin(a) * edge[0])
        c, s = theta.cos().abs(), theta.sin().abs()
        bar = torch.minimum(0.95 / torch.maximum(c, s), 0.33 / torch.minimum(c, s).clamp_min(1e-3))
        profiles = {
            "ball": torch.ones(512), "square": 0.95 * _polygon(4, math.pi / 4), "triangle": _polygon(3, up) * 1.05,
            "star": star * 1.1, "ring": torch.ones(512), "diamond": _polygon(4, 0.0) * 1.05, "cross": bar,
            "hexagon": _polygon(6, 0.0),
        }
        _profiles[device] = torch.stack([profiles[s] for s in SHAPES]).to(device)
    return _profiles[device]


def camera_paths(scenes, times, device):
    """Camera centre [B, F, 2] and world units per frame unit [B, F]."""
    def rates(kinds, plus, minus):
        return torch.tensor([(k == plus) - (k == minus) + 0.0 for k in kinds], device=device)[:, None]

    switch = torch.tensor([s.switch for s in scenes], device=device)[:, None]
    pan, zoom = torch.zeros_like(times), torch.zeros_like(times)
    phases = (([s.camera for s in scenes], torch.minimum(times, switch)),
              ([s.camera_then for s in scenes], (times - switch).clamp_min(0)))
    for kinds, t in phases:
        pan = pan + rates(kinds, "pan right", "pan left") * t
        zoom = zoom + rates(kinds, "zoom out", "zoom in") * t
    rate = torch.tensor([s.camera_rate for s in scenes], device=device)[:, None]
    scale = torch.exp(ZOOM * rate * zoom)
    return torch.stack([PAN * rate * pan, torch.zeros_like(pan)], -1), scale


def _column(scenes, index, get, device):
    return torch.tensor([float(get(s.things[index])) if index < len(s.things) else 0.0 for s in scenes], device=device)[:, None]


def object_paths(scenes, index, times, device):
    """Position [B, F, 2], radius [B, F] and angle [B, F] of object `index` over the times [B, F]."""
    def column(get):
        return _column(scenes, index, get, device)

    motion, then = column(lambda o: MOTIONS.index(o.motion)), column(lambda o: MOTIONS.index(o.then))
    x, y, r, rate = (column(lambda o, a=a: getattr(o, a)) for a in ("x", "y", "radius", "rate"))
    switch, half_w, half_h = (torch.tensor(v, device=device)[:, None] for v in
                              ([s.switch for s in scenes], [s.width / 256 for s in scenes], [s.height / 256 for s in scenes]))
    px, py, radius, angle = place_in_two(motion, then, switch, rate, x, y, r, times, half_w, half_h)
    return torch.stack([px, py], -1), radius, angle


def _signed_distance(local, radius, shape, profiles):
    """Distance to the outline in units (negative inside) and the relative radius."""
    rho = local.norm(dim=-1)
    turn = (torch.atan2(local[..., 1], local[..., 0]) / (2 * math.pi)) % 1.0 * 512
    low = turn.floor()
    table = profiles.reshape(-1)
    row = shape[:, None, None, None] * 512
    a = table[row + (low.long() % 512)]
    b = table[row + ((low.long() + 1) % 512)]
    edge = a + (b - a) * (turn - low)
    slope = (b - a) * (512 / (2 * math.pi)) / edge
    distance = torch.maximum((rho - edge) * torch.rsqrt(1 + slope * slope), rho - 1.1)
    ring = (shape == SHAPES.index("ring"))[:, None, None, None]
    distance = torch.where(ring, torch.maximum(distance, 0.5 - rho), distance)
    return distance * radius[..., None, None], (rho / edge).clamp(0, 1)


def _paint(local, inner, rgb, texture, light):
    """Object colour [B, F, H, W, 3]: surface pattern times dome shading."""
    u, v = local[..., 0], local[..., 1]
    stripes = torch.sin(8 * u)
    spots = torch.cos(6.5 * u) * torch.cos(6.5 * v) * 2.2 - 0.9
    checks = torch.sin(5 * u + 0.01) * torch.sin(5 * v + 0.01) * 3
    kind = texture[:, None, None, None]
    halves = 2 * u
    pattern = -torch.ones_like(u)
    for number, values in enumerate((stripes, spots, checks, halves), 1):
        pattern = torch.where(kind == number, values, pattern)
    pattern = torch.sigmoid(9 * pattern)[..., None]
    rgb = rgb[:, None, None, None]
    second = torch.where(rgb.mean(-1, keepdim=True) > 0.6, rgb * 0.45, rgb * 0.4 + 0.6)
    height = (1 - inner * inner).clamp_min(0).sqrt()
    shade = 0.66 + 0.30 * height + 0.22 * light
    highlight = 0.35 * ((height + light) / 1.6).clamp(0, 1) ** 12
    return (rgb + pattern * (second - rgb)) * shade[..., None] + highlight[..., None]


def render(scenes, times, device):
    """Clips [B, 3, F, H, W] in [-1, 1] at `times` [B, F] seconds."""
    h, w = scenes[0].height, scenes[0].width
    yy, xx = ((torch.arange(n, device=device) + 0.5 - n / 2) / 128 for n in (h, w))
    grid = torch.stack([xx[None, :].expand(h, -1), yy[:, None].expand(-1, w)], -1)[None, None]  # [1, 1, h, w, 2]
    centre, zoom = camera_paths(scenes, times, device)
    world = centre[:, :, None, None] + grid * zoom[..., None, None, None]
    frames = times.shape[1]
    texels = (world * (2 * 128 / TEXTURE_SIZE)).reshape(len(scenes), frames * h, w, 2)
    image = F.grid_sample(textures(scenes, device), texels, mode="bilinear", padding_mode="reflection", align_corners=False)
    image = image.reshape(len(scenes), 3, frames, h, w).permute(0, 2, 3, 4, 1)
    profiles = shape_profiles(device)
    for index in range(max(len(s.things) for s in scenes)):
        present = torch.tensor([float(index < len(s.things)) for s in scenes], device=device)[:, None, None, None]
        shape = _column(scenes, index, lambda o: SHAPES.index(o.shape), device)[:, 0].long()
        texture = _column(scenes, index, lambda o: TEXTURES.index(o.texture), device)[:, 0]
        rgb = torch.tensor([s.things[index].rgb if index < len(s.things) else (0, 0, 0) for s in scenes], device=device)
        position, radius, angle = object_paths(scenes, index, times, device)
        radius = radius.clamp_min(1e-3)
        c, s = angle.cos()[..., None, None], angle.sin()[..., None, None]

        def local_to(offset):
            d = (world - position[:, :, None, None] - offset) / radius[..., None, None, None]
            return torch.stack([d[..., 0] * c + d[..., 1] * s, d[..., 1] * c - d[..., 0] * s], -1), d

        shadow_at, _ = local_to(0.035)
        distance, _ = _signed_distance(shadow_at, radius, shape, profiles)
        shadow = 0.45 * torch.sigmoid(-distance * 26) * present
        image = image * (1 - shadow[..., None])
        local, d = local_to(0.0)
        distance, inner = _signed_distance(local, radius, shape, profiles)
        light = (-0.45 * d[..., 0] - 0.75 * d[..., 1]).clamp(-1, 1)
        alpha = (0.5 - distance * 128 / zoom[..., None, None]).clamp(0, 1) * present
        image = image + alpha[..., None] * (_paint(local, inner, rgb, texture, light) - image)
    return (image.clamp(0, 1) * 2 - 1).permute(0, 4, 1, 2, 3)


def clip_times(count, frames, device, start=0.0):
    """Times [count, frames] of frames at 30 per second."""
    return (torch.arange(frames, device=device) / FPS)[None].repeat(count, 1) + start


def object_mask(scene, device, index=0):
    """Outline [H, W] of an object in the first frame."""
    yy = (torch.arange(scene.height, device=device) + 0.5 - scene.height / 2) / 128
    xx = (torch.arange(scene.width, device=device) + 0.5 - scene.width / 2) / 128
    thing = scene.things[index]
    local = torch.stack([(xx[None, :] - thing.x).expand(scene.height, -1), (yy[:, None] - thing.y).expand(-1, scene.width)], -1)
    shape = torch.tensor([SHAPES.index(thing.shape)], device=device)
    radius = torch.full((1, 1), thing.radius, device=device)
    distance, _ = _signed_distance(local[None, None] / thing.radius, radius, shape, shape_profiles(device))
    return distance[0, 0] < 0
