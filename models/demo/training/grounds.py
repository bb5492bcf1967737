"""What is behind the objects: 1/f noise, overlapping leaves, flat colours, photographs; textures of one texel per pixel."""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

TEXTURE_SIZE = 384
PHOTO_DIR = Path(__file__).parent / "photos"
BANK = {"cuda": 384, "cpu": 2}  # leaf textures kept, per kind of device
LEAVES = {"cuda": 260, "cpu": 60}
_photos, _banks = {}, {}


def _photo(name, device):
    if (name, device) not in _photos:
        pixels = np.asarray(Image.open(PHOTO_DIR / f"{name}.jpg").convert("RGB"), dtype=np.float32) / 255
        _photos[name, device] = torch.from_numpy(pixels).permute(2, 0, 1)[None].to(device)
    return _photos[name, device]


def _mirrored(count, first, device):
    """Indices of TEXTURE_SIZE pixels from `first` on in a row of `count`, mirrored beyond its ends."""
    index = (torch.arange(TEXTURE_SIZE, device=device) + first) % (2 * count - 2)
    return torch.where(index < count, index, 2 * count - 2 - index)


def photo_texture(name, zoom, at, height, width, device):
    """A photo around the texture's centre, mirrored beyond its border; `at` names its part there."""
    photo = _photo(name, device)
    fit = max(height / photo.shape[2], width / photo.shape[3])
    scale = fit * (1.02 + 1.2 * zoom * zoom)
    photo = F.interpolate(photo, scale_factor=scale, mode="bicubic", antialias=True).clamp(0, 1)
    rows, columns = photo.shape[2:]
    down, right = (round(part * max(0, n - seen) / 2) for part, n, seen in zip(at[::-1], (rows, columns), (height, width)))
    rows, columns = (_mirrored(n, (n - TEXTURE_SIZE) // 2 + by, device) for n, by in ((rows, down), (columns, right)))
    return photo[0][:, rows[:, None], columns]


def noise_textures(count, generator, device):
    """Soft grounds [count, 3, S, S]: two muted colours mixed by 1/f noise, a lit side, planks, a horizon."""
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


def leaf_textures(count, generator, device):
    """Discs and boxes of all sizes and colours, each before the last: edges and occlusions as photographs have them."""
    def rand(*shape):
        return torch.rand(*shape, generator=generator).to(device)

    size = TEXTURE_SIZE
    yy, xx = (v[None] for v in torch.meshgrid(*[torch.arange(size, device=device) + 0.5] * 2, indexing="ij"))
    canvas = noise_textures(count, generator, device)
    tone = 0.15 + 0.7 * rand(count, 1)
    vivid = 0.15 + 0.6 * rand(count, 1)
    for _ in range(LEAVES[torch.device(device).type]):
        u = rand(count, 10)
        radius = 5 * (1 - 0.996 * u[:, 0]) ** -0.5  # few large ones, many small
        x, y = (size * u[:, i, None, None] for i in (1, 2))
        angle = 2 * math.pi * u[:, 3, None, None]
        dx, dy = xx - x, yy - y
        along, across = dx * angle.cos() + dy * angle.sin(), dy * angle.cos() - dx * angle.sin()
        across = across * (1 + 2 * u[:, 4, None, None])
        disc = (along.square() + across.square()).sqrt()
        shape = torch.where(u[:, 5, None, None] < 0.5, disc, torch.maximum(along.abs(), across.abs()))
        alpha = (radius[:, None, None] - shape + 0.5).clamp(0, 1)[:, None]
        color = (tone + 0.9 * (u[:, 6:7] - 0.5) + vivid * (u[:, 7:10] - 0.5))[..., None, None]
        shade = 1 + 0.35 * (along / radius[:, None, None]).clamp(-1, 1)[:, None] * (u[:, 8, None, None, None] - 0.2)
        canvas = canvas + alpha * (color * shade - canvas)
    return canvas.clamp(0, 1)


def _leaf_bank(device):
    """Leaf textures as bytes, made once per process."""
    kind = torch.device(device).type
    if kind not in _banks:
        generator = torch.Generator().manual_seed(torch.initial_seed() % 2**31)
        parts = [leaf_textures(min(32, BANK[kind]), generator, device) for _ in range(-(-BANK[kind] // 32))]
        _banks[kind] = torch.cat([(255 * p).round().byte() for p in parts])
    return _banks[kind]


def _leaf_texture(jitter, device):
    """One of the bank, turned, mirrored and recoloured."""
    bank = _leaf_bank(device)
    texture = bank[int(jitter[4] * len(bank))].float() / 255
    texture = texture.rot90(int(4 * jitter[5]), (1, 2))
    order = torch.randperm(3, generator=torch.Generator().manual_seed(int(1e6 * jitter[6])))
    return texture[order.to(device)]


def textures(scenes, device):
    """Grounds [B, 3, S, S] of scenes."""
    generator = torch.Generator().manual_seed(scenes[0].seed)
    grounds = noise_textures(len(scenes), generator, device)
    jitter = torch.rand(len(scenes), 7, generator=generator)
    for i, scene in enumerate(scenes):
        if scene.photo:
            picture = photo_texture(scene.photo, scene.photo_zoom, scene.photo_at, scene.height, scene.width, device)
        elif scene.ground == "leaves":
            picture = _leaf_texture(jitter[i], device)
        else:
            if scene.ground == "flat":
                grounds[i] = torch.tensor(scene.flat_rgb, device=device)[:, None, None]
            continue
        gain = 0.85 + 0.3 * jitter[i, :3].to(device)
        picture = (picture * gain[:, None, None]).clamp(0, 1)
        grounds[i] = picture.flip(2) if jitter[i, 3] < 0.5 else picture
    return grounds
