"""Scenes to pixels, vectorised over clips and frames so that a GPU renders them in milliseconds.

World coordinates are those of `scenes.py`; the camera maps pixels to the world, objects
are signed distance functions with shading and a soft shadow, backgrounds are 1/f noise
or photographs sampled at one texel per pixel.
"""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from scenes import (BOUNCE_HEIGHT, CIRCLE_RADIUS, MAX_RADIUS, MIN_RADIUS, MOTIONS, SHAPES, TEXTURES, WAVE_WIDTH)

FPS = 30
TEXTURE_SIZE = 384
PHOTO_DIR = Path(__file__).parent / "photos"
_photos, _profiles = {}, {}


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


def _photo(name):
    if name not in _photos:
        pixels = np.asarray(Image.open(PHOTO_DIR / f"{name}.jpg").convert("RGB"), dtype=np.float32) / 255
        _photos[name] = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    return _photos[name]


def _photo_texture(name, zoom, height, width, device):
    """A photo around the texture's centre, mirrored beyond its border."""
    photo = _photo(name).to(device)
    fit = max(height / photo.shape[2], width / photo.shape[3])
    scale = fit * (1.02 + 1.2 * zoom * zoom)
    photo = F.interpolate(photo, scale_factor=scale, mode="bicubic", antialias=True).clamp(0, 1)
    while min(photo.shape[2:]) < TEXTURE_SIZE:
        ph, pw = (min(photo.shape[i] - 1, max(0, TEXTURE_SIZE - photo.shape[i]) // 2 + 1) for i in (2, 3))
        photo = F.pad(photo, (pw, pw, ph, ph), mode="reflect")
    top, left = (photo.shape[2] - TEXTURE_SIZE) // 2, (photo.shape[3] - TEXTURE_SIZE) // 2
    return photo[0, :, top:top + TEXTURE_SIZE, left:left + TEXTURE_SIZE]


def _noise_textures(count, generator, device):
    """Backgrounds with photographic statistics [count, 3, S, S]: two muted colours mixed by 1/f noise, a lit side, a horizon."""
    def rand(*shape):
        return torch.rand(*shape, generator=generator).to(device)

    size = TEXTURE_SIZE
    mix = torch.zeros(count, 1, size, size, device=device)
    slope = 0.35 + 0.35 * rand(count, 1, 1, 1)
    for octave, cells in enumerate((4, 8, 16, 32, 64, 128)):
        grid = rand(count, 1, cells, cells) - 0.5
        mix += slope ** octave * F.interpolate(grid, (size, size), mode="bicubic", align_corners=False)
    base = 0.12 + 0.70 * rand(count, 1, 1, 1) + 0.16 * (rand(count, 3, 1, 1) - 0.5)
    other = base + 0.5 * (rand(count, 1, 1, 1) - 0.5) + 0.3 * (rand(count, 3, 1, 1) - 0.5)
    texture = base + (other - base) * torch.sigmoid(5 * mix)
    yy, xx = torch.meshgrid(*[torch.linspace(-1.5, 1.5, size, device=device)] * 2, indexing="ij")
    angle = 2 * math.pi * rand(count, 1, 1, 1)
    texture = texture * (1 + 0.18 * (xx * angle.cos() + yy * angle.sin()))
    planks = 1 + 0.10 * torch.sin(2 * math.pi * (2 + 3 * rand(count, 1, 1, 1)) * (xx + 0.15 * mix)).sign()
    texture = torch.where(rand(count, 1, 1, 1) < 0.2, texture * planks, texture)
    floor = torch.sigmoid(60 * (yy - (0.2 + 0.3 * rand(count, 1, 1, 1))))
    table = (0.2 + 0.6 * rand(count, 3, 1, 1)) * (1 + 0.2 * mix)
    texture = torch.where(rand(count, 1, 1, 1) < 0.35, texture + floor * (table - texture), texture)
    return texture.clamp(0.02, 0.98)


def _textures(scenes, device):
    generator = torch.Generator().manual_seed(scenes[0].seed)
    textures = _noise_textures(len(scenes), generator, device)
    jitter = torch.rand(len(scenes), 5, generator=generator)
    for i, scene in enumerate(scenes):
        if scene.photo:
            photo = _photo_texture(scene.photo, scene.photo_zoom, scene.height, scene.width, device)
            gain = 0.85 + 0.3 * jitter[i, :3].to(device)
            photo = (photo * gain[:, None, None]).clamp(0, 1)
            textures[i] = photo.flip(2) if jitter[i, 3] < 0.5 else photo
    return textures


def camera_paths(scenes, times, device):
    """Camera centre [B, F, 2] and world units per frame unit [B, F]."""
    rate = torch.tensor([s.camera_rate for s in scenes], device=device)[:, None]
    kind = [s.camera for s in scenes]
    pan = torch.tensor([{"pan left": -1.0, "pan right": 1.0}.get(k, 0.0) for k in kind], device=device)[:, None]
    zoom = torch.tensor([{"zoom in": -1.0, "zoom out": 1.0}.get(k, 0.0) for k in kind], device=device)[:, None]
    x = 0.085 * pan * rate * times
    return torch.stack([x, torch.zeros_like(x)], -1), torch.exp(0.10 * zoom * rate * times)


def _column(scenes, index, get, device):
    return torch.tensor([float(get(s.things[index])) if index < len(s.things) else 0.0 for s in scenes], device=device)[:, None]


def object_paths(scenes, index, times, device):
    """Position [B, F, 2], radius [B, F] and angle [B, F] of object `index` over the times [B, F]."""
    def column(get):
        return _column(scenes, index, get, device)

    motion = column(lambda o: MOTIONS.index(o.motion))
    x, y, r, rate = (column(lambda o, a=a: getattr(o, a)) for a in ("x", "y", "radius", "rate"))
    t = rate * times
    half_w = torch.tensor([s.width / 256 for s in scenes], device=device)[:, None] - r * 1.02
    half_h = torch.tensor([s.height / 256 for s in scenes], device=device)[:, None] - r * 1.02
    zero = torch.zeros_like(t)

    def when(name, value):
        return torch.where(motion == MOTIONS.index(name), value, zero)

    step, turn = 0.19 * t, 2 * math.pi * 0.32 * t
    px = torch.where(motion < 2, torch.minimum(torch.maximum(x + when("right", step) - when("left", step), -half_w), half_w), x + zero)
    vertical = (motion >= 2) & (motion < 4)
    py = torch.where(vertical, torch.minimum(torch.maximum(y + when("down", step) - when("up", step), -half_h), half_h), y + zero)
    px = px + when("circle", CIRCLE_RADIUS * torch.sin(turn)) + when("wave", WAVE_WIDTH * torch.sin(1.5 * turn))
    py = py + when("circle", CIRCLE_RADIUS * (1 - torch.cos(turn))) - when("bounce", BOUNCE_HEIGHT * torch.sin(1.2 * turn).abs())
    grown = torch.minimum(r * torch.exp(0.24 * t), torch.full_like(t, MAX_RADIUS))
    shrunk = torch.maximum(r * torch.exp(-0.24 * t), torch.full_like(t, MIN_RADIUS))
    radius = r + when("grow", grown - r) + when("shrink", shrunk - r)
    angle = when("spin", 0.85 * turn) + when("wave", 0.35 * torch.sin(1.5 * turn))
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
    pattern = torch.where(kind == 1, stripes, torch.where(kind == 2, spots, torch.where(kind == 3, checks, -torch.ones_like(u))))
    pattern = torch.sigmoid(9 * pattern)[..., None]
    rgb = rgb[:, None, None, None]
    second = torch.where(rgb.mean(-1, keepdim=True) > 0.6, rgb * 0.45, rgb * 0.4 + 0.6)
    height = (1 - inner * inner).clamp_min(0).sqrt()
    shade = 0.66 + 0.30 * height + 0.22 * light
    highlight = 0.35 * ((height + light) / 1.6).clamp(0, 1) ** 12
    return (rgb + pattern * (second - rgb)) * shade[..., None] + highlight[..., None]


def render(scenes, times, device, window=None):
    """Clips [B, 3, F, H, W] in [-1, 1] at `times` [B, F] seconds; `window` = (top, left [B], height, width) crops."""
    height, width = scenes[0].height, scenes[0].width
    top = left = torch.zeros(len(scenes), device=device)
    h, w = height, width
    if window is not None:
        top, left, h, w = window
    yy = (torch.arange(h, device=device)[None] + top[:, None] + 0.5 - height / 2) / 128
    xx = (torch.arange(w, device=device)[None] + left[:, None] + 0.5 - width / 2) / 128
    grid = torch.stack([xx[:, None, :].expand(-1, h, -1), yy[:, :, None].expand(-1, -1, w)], -1)[:, None]  # [B,1,h,w,2]
    centre, zoom = camera_paths(scenes, times, device)
    world = centre[:, :, None, None] + grid * zoom[..., None, None, None]
    frames = times.shape[1]
    texels = (world * (2 * 128 / TEXTURE_SIZE)).reshape(len(scenes), frames * h, w, 2)
    image = F.grid_sample(_textures(scenes, device), texels, mode="bilinear", padding_mode="reflection", align_corners=False)
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
