"""Random scenes: which objects, grounds and motions a clip shows, as plain numbers.

Units: one unit is 128 pixels, the origin is the centre of the frame, y points down.
Times are seconds. A scene is everything `render.py` needs and `captions.py` may mention.
"""

import math
import random
from dataclasses import dataclass, field

import torch

from motions import (BOUNCE_HEIGHT, CAMERA_MOTIONS, CIRCLE_RADIUS, MOTIONS, OBJECT_MOTIONS, STEP, WAVE_WIDTH, place)

SHAPES = ["ball", "square", "triangle", "star", "ring", "diamond", "cross", "hexagon"]
COLORS = {
    "red": (0.86, 0.12, 0.10), "orange": (0.95, 0.50, 0.08), "yellow": (0.96, 0.84, 0.14),
    "green": (0.13, 0.62, 0.20), "teal": (0.06, 0.62, 0.62), "blue": (0.12, 0.27, 0.85),
    "purple": (0.50, 0.18, 0.68), "pink": (0.96, 0.45, 0.68), "white": (0.95, 0.95, 0.93),
    "black": (0.07, 0.07, 0.08),
}
TEXTURES = ["plain", "striped", "spotted", "checkered", "halved"]
SPIN_TEXTURES = ["halved", "halved", "striped", "checkered"]  # a mark that shows the turning
HARD_MOTIONS = ["spin"] * 8 + ["bounce", "shrink", "grow", "wave", "circle"]  # drawn more often: slow to learn
SPEEDS = {"slow": 0.55, "normal": 1.0, "fast": 1.65}
BUCKETS = [(96, 160), (112, 144), (128, 128), (144, 112), (160, 96)]  # (height, width)
TRAIN_PHOTOS = ["astronaut", "cat", "rocket", "officer", "galaxies", "raccoon", "temple", "cameraman", "motorcycle"]
TEST_PHOTOS = ["coffee", "flower"]
NEVER = 99.0  # seconds: after every clip's end
BLANKS = [(0, 0, 0), (255, 255, 255), (0, 177, 64)]  # starts without a picture: black, white, FramePack-Studio's green


@dataclass
class Thing:
    """One moving object."""
    shape: str
    color: str
    texture: str
    motion: str
    speed: str
    radius: float
    x: float
    y: float
    rgb: tuple
    rate: float  # speed factor after jitter
    then: str = "still"  # its motion after the scene's switch


@dataclass
class Scene:
    """One clip before rendering."""
    height: int
    width: int
    things: list = field(default_factory=list)
    camera: str = "none"
    camera_then: str = "none"
    camera_speed: str = "normal"
    camera_rate: float = 1.0
    switch: float = NEVER  # when motions change
    ground: str = "noise"  # or leaves, flat
    flat_rgb: tuple = (0.5, 0.5, 0.5)
    photo: str = ""  # instead of the ground; a sharp photo is the picture itself
    photo_zoom: float = 1.0
    photo_at: tuple = (0.0, 0.0)  # which part of it is in the frame's middle: 0 its own middle, 1 and -1 its borders
    blank: int = -1  # number of the blank picture that the clip starts with instead of its own; after BLANKS comes noise
    seed: int = 0


def _between(rng, low, high):
    return rng.uniform(low, high) if high > low else (low + high) / 2


class Middle(random.Random):
    """Chance for scenes of which only the prompt tells: every range gives its middle."""

    def uniform(self, low, high):
        return (low + high) / 2


def _start(rng, motion, r, half_w, half_h):
    """A start position that leaves room for the motion."""
    mx, my = half_w - r - 0.02, half_h - r - 0.02
    x, y = _between(rng, -mx, mx), _between(rng, -my, my)
    if motion == "left":
        x = _between(rng, 0.1 * mx, mx)
    elif motion == "right":
        x = _between(rng, -mx, -0.1 * mx)
    elif motion == "up":
        y = _between(rng, 0.1 * my, my)
    elif motion == "down":
        y = _between(rng, -my, -0.1 * my)
    elif motion == "circle":
        x = _between(rng, -mx + CIRCLE_RADIUS, mx - CIRCLE_RADIUS)
        y = _between(rng, -my, my - 2 * CIRCLE_RADIUS)
    elif motion == "bounce":
        y = _between(rng, -my + BOUNCE_HEIGHT, my)
    elif motion == "wave":
        x = _between(rng, -mx + WAVE_WIDTH, mx - WAVE_WIDTH)
    elif motion == "grow":
        x, y = 0.6 * x, 0.6 * y
    return x, y


def _has_room(motion, x, y, r, half_w, half_h):
    """Whether an object at x, y can begin `motion` there and show it."""
    mx, my, way = half_w - r, half_h - r, STEP
    return {"left": x - way > -mx, "right": x + way < mx, "up": y - way > -my, "down": y + way < my,
            "circle": abs(x) < mx - CIRCLE_RADIUS and y < my - 2 * CIRCLE_RADIUS, "bounce": y - BOUNCE_HEIGHT > -my,
            "wave": abs(x) < mx - WAVE_WIDTH, "grow": r < 0.16, "shrink": r > 0.14, "spin": False, "still": True}[motion]


def _thing(rng, motion, half_w, half_h, small=False):
    shape = rng.choice(SHAPES)
    texture = rng.choice(TEXTURES if rng.random() < 0.6 else ["plain"])
    color = rng.choice(list(COLORS))
    rgb = tuple(min(1.0, max(0.0, c + rng.uniform(-0.05, 0.05))) for c in COLORS[color])
    low, high = {"grow": (0.09, 0.13), "shrink": (0.19, 0.26), "spin": (0.15, 0.21)}.get(motion, (0.12, 0.19))
    if small and motion != "grow":
        low, high = {"shrink": (0.15, 0.18), "spin": (0.13, 0.16)}.get(motion, (0.10, 0.14))
    radius = rng.uniform(low, high)
    if motion == "spin":
        texture = rng.choice(SPIN_TEXTURES)
    x, y = _start(rng, motion, radius, half_w, half_h)
    speed = rng.choice(list(SPEEDS))
    return Thing(shape, color, texture, motion, speed, radius, x, y, rgb, SPEEDS[speed] * rng.uniform(0.95, 1.05))


def _two_things(rng, half_w, half_h):
    for _ in range(100):
        moves = [rng.choice(OBJECT_MOTIONS[:-1]), rng.choice(OBJECT_MOTIONS[:-1] + ["still"] * 4)]
        rng.shuffle(moves)
        things = [_thing(rng, motion, half_w, half_h, small=True) for motion in moves]
        a, b = things
        if math.hypot(a.x - b.x, a.y - b.y) > a.radius + b.radius + 0.06 and a.color != b.color:
            return things
    return things[:1]


def _ground(rng, scene, photos, shares):
    """Draws what is behind: shares of photo, leaves and flat; noise is the rest."""
    kind = rng.choices(["photo", "leaves", "flat", "noise"], [*shares, 1 - sum(shares)])[0]
    if kind == "photo":
        scene.photo, scene.photo_zoom = rng.choice(photos), rng.uniform(0.0, 1.0)
    else:
        scene.ground = kind
    grey = rng.random()
    scene.flat_rgb = (grey,) * 3 if rng.random() < 0.4 else tuple(rng.random() for _ in range(3))


def _change(rng, scene, section_seconds):
    """Lets the motions change at a section's border."""
    scene.switch = rng.choice([1, 2, 3]) * section_seconds
    if scene.camera != "none":
        scene.camera_then = rng.choice([m for m in CAMERA_MOTIONS if m != scene.camera])
        return
    half = torch.tensor(scene.width / 256), torch.tensor(scene.height / 256)
    for thing in scene.things:
        there = place(torch.tensor(MOTIONS.index(thing.motion)), *(torch.tensor(v) for v in (thing.x, thing.y, thing.radius)),
                      torch.tensor(thing.rate * scene.switch), *half)
        x, y, r, _ = (float(v) for v in there)
        thing.then = rng.choice([m for m in OBJECT_MOTIONS if m != thing.motion and _has_room(m, x, y, r, float(half[0]), float(half[1]))])


def sample_scene(rng, bucket, motion=None, photos=TRAIN_PHOTOS, two=None, change=0.0, section_seconds=1.2):
    """A random scene. `motion` fixes the first motion, `two` the number of objects; `change` is the share whose motions change."""
    height, width = bucket
    half_w, half_h = width / 256, height / 256
    scene = Scene(height, width, seed=rng.getrandbits(31))
    if motion is None:
        motion = rng.choice(OBJECT_MOTIONS[:-1] * 2 + CAMERA_MOTIONS * 4 + HARD_MOTIONS + ["still"])
    if motion in CAMERA_MOTIONS:
        scene.camera, scene.camera_speed = motion, rng.choice(list(SPEEDS))
        scene.camera_rate = SPEEDS[scene.camera_speed] * rng.uniform(0.95, 1.05)
        _ground(rng, scene, photos, (0.5, 0.3, 0.0))
        if not scene.photo and (scene.ground != "leaves" or rng.random() < 0.4):
            scene.things = [_thing(rng, "still", half_w, half_h)]
    elif motion == "still" and rng.random() < 0.5:
        _ground(rng, scene, photos, (1.0, 0.0, 0.0))
    else:
        scene.things = (_two_things(rng, half_w, half_h) if (rng.random() < 0.3 if two is None else two)
                        else [_thing(rng, motion, half_w, half_h)])
        _ground(rng, scene, photos, (0.16, 0.14, 0.12))
    if rng.random() < change and (scene.things or scene.camera != "none"):
        _change(rng, scene, section_seconds)
    return scene


def scene_from_blank(rng, bucket, motion):
    """A scene for a clip that starts from a blank picture: a plain object in the middle of a ground in the blank's colour.

    Nothing but the prompt says what such a clip shows, so all that a prompt leaves open is always the same here.
    """
    height, width = bucket
    rng = Middle(rng.getrandbits(63))
    scene = Scene(height, width, seed=rng.getrandbits(31), blank=rng.randrange(len(BLANKS) + 1), ground="flat")
    scene.flat_rgb = tuple(c / 255 for c in (BLANKS + [(128, 128, 128)])[scene.blank])
    thing = _thing(rng, motion, width / 256, height / 256)
    while math.dist(thing.rgb, scene.flat_rgb) < 0.3:
        thing.color = rng.choice(list(COLORS))
        thing.rgb = COLORS[thing.color]
    thing.texture = "halved" if motion == "spin" else "plain"
    scene.things = [thing]
    return scene


def scenes(seed, bucket, count, **options):
    """`count` scenes from one seed."""
    rng = random.Random(seed)
    return [sample_scene(rng, bucket, **options) for _ in range(count)]
