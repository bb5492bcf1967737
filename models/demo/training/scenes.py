"""Random scenes: which objects, textures and motions a clip shows, as plain numbers.

Units: one unit is 128 pixels, the origin is the centre of the frame, y points down.
Times are seconds. A scene is everything `render.py` needs and `captions.py` may mention.
"""

import math
import random
from dataclasses import dataclass, field

SHAPES = ["ball", "square", "triangle", "star", "ring", "diamond", "cross", "hexagon"]
COLORS = {
    "red": (0.86, 0.12, 0.10), "orange": (0.95, 0.50, 0.08), "yellow": (0.96, 0.84, 0.14),
    "green": (0.13, 0.62, 0.20), "teal": (0.06, 0.62, 0.62), "blue": (0.12, 0.27, 0.85),
    "purple": (0.50, 0.18, 0.68), "pink": (0.96, 0.45, 0.68), "white": (0.95, 0.95, 0.93),
    "black": (0.07, 0.07, 0.08),
}
TEXTURES = ["plain", "striped", "spotted", "checkered"]
OBJECT_MOTIONS = ["left", "right", "up", "down", "circle", "bounce", "wave", "grow", "shrink", "spin", "still"]
CAMERA_MOTIONS = ["pan left", "pan right", "zoom in", "zoom out"]
HARD_MOTIONS = ["spin", "spin", "spin", "bounce", "shrink", "grow", "pan left", "pan right"]  # drawn more often: slow to learn
MOTIONS = OBJECT_MOTIONS + CAMERA_MOTIONS
SPEEDS = {"slow": 0.55, "normal": 1.0, "fast": 1.65}
BUCKETS = [(96, 160), (112, 144), (128, 128), (144, 112), (160, 96)]  # (height, width)
TRAIN_PHOTOS = ["astronaut", "cat", "rocket", "officer", "galaxies"]
TEST_PHOTOS = ["coffee"]

CIRCLE_RADIUS = 0.15
BOUNCE_HEIGHT = 0.24
WAVE_WIDTH = 0.14
MAX_RADIUS, MIN_RADIUS = 0.36, 0.06


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


@dataclass
class Scene:
    """One clip before rendering."""
    height: int
    width: int
    things: list = field(default_factory=list)
    camera: str = "none"
    camera_speed: str = "normal"
    camera_rate: float = 1.0
    photo: str = ""  # a sharp photo is the picture itself
    photo_zoom: float = 1.0
    seed: int = 0

    def motions(self):
        """Every motion of the clip, camera last."""
        found = [thing.motion for thing in self.things]
        return found + ([self.camera] if self.camera != "none" else [])


def _between(rng, low, high):
    return rng.uniform(low, high) if high > low else (low + high) / 2


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


def _thing(rng, motion, half_w, half_h, small=False):
    shape = rng.choice(SHAPES)
    texture = rng.choice(TEXTURES if rng.random() < 0.6 else ["plain"])
    if motion == "spin":
        if shape in ("ball", "ring"):
            texture = rng.choice(["striped", "checkered"])
    color = rng.choice(list(COLORS))
    rgb = tuple(min(1.0, max(0.0, c + rng.uniform(-0.05, 0.05))) for c in COLORS[color])
    low, high = {"grow": (0.09, 0.13), "shrink": (0.19, 0.26)}.get(motion, (0.12, 0.19))
    if small and motion != "grow":
        low, high = {"shrink": (0.15, 0.18)}.get(motion, (0.10, 0.14))
    radius = rng.uniform(low, high)
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


def sample_scene(rng, bucket, motion=None, photos=TRAIN_PHOTOS, two=None):
    """A random scene. `motion` fixes the first motion, `two` the number of objects."""
    height, width = bucket
    half_w, half_h = width / 256, height / 256
    scene = Scene(height, width, seed=rng.getrandbits(31))
    if motion is None:
        motion = rng.choice(OBJECT_MOTIONS[:-1] * 2 + CAMERA_MOTIONS * 3 + HARD_MOTIONS + ["still"])
    if motion in CAMERA_MOTIONS:
        scene.camera, scene.camera_speed = motion, rng.choice(list(SPEEDS))
        scene.camera_rate = SPEEDS[scene.camera_speed] * rng.uniform(0.95, 1.05)
        if rng.random() < 0.5:
            scene.photo, scene.photo_zoom = rng.choice(photos), rng.uniform(0.0, 1.0)
        else:
            scene.things = [_thing(rng, "still", half_w, half_h)]
        return scene
    if two is None:
        two = rng.random() < 0.22
    if two:
        scene.things = _two_things(rng, half_w, half_h)
    else:
        scene.things = [_thing(rng, motion, half_w, half_h)]
        if motion == "still" and rng.random() < 0.5:
            scene.things = []
            scene.photo, scene.photo_zoom = rng.choice(photos), rng.uniform(0.0, 1.0)
            return scene
    if rng.random() < 0.15:
        scene.photo, scene.photo_zoom = rng.choice(photos), rng.uniform(0.0, 1.0)
    return scene


def scenes(seed, bucket, count, **options):
    """`count` scenes from one seed."""
    rng = random.Random(seed)
    return [sample_scene(rng, bucket, **options) for _ in range(count)]
