"""The scenes the transformer is trained on, and how often each kind comes. Held-out scenes are not drawn from here."""

from scenes import OBJECT_MOTIONS, TRAIN_PHOTOS, sample_scene, scene_from_blank

SHARES = {"left": 3.5, "right": 3.5, "up": 3.5, "down": 3.5, "circle": 5, "wave": 5, "bounce": 8, "grow": 8, "shrink": 8,
          "spin": 22, "still": 2, "pan left": 7, "pan right": 7, "zoom in": 11, "zoom out": 11}  # slow to learn, so often: spins
CHANGES = 0.15  # share of clips whose motions, and prompt, change at a section's border
BLANK = 0.06  # share of clips without a start picture
FACES = ["astronaut", "cat", "officer", "raccoon"]
FACES_IN_ZOOMS = 0.4  # share of zooms that go over a face, besides what chance gives
MOVED = 0.6  # share of photographs of which another part than the middle is in the frame


def move_photo(rng, scene):
    """Lets some photographs show another part, so that few of them make many pictures."""
    if scene.photo and rng.random() < MOVED:
        scene.photo_at = rng.uniform(-1, 1), rng.uniform(-1, 1)


def lesson(rng, bucket, section_seconds):
    """A random scene to learn from."""
    if rng.random() < BLANK:
        return scene_from_blank(rng, bucket, rng.choice(OBJECT_MOTIONS))
    motion = rng.choices(list(SHARES), SHARES.values())[0]
    scene = sample_scene(rng, bucket, motion, TRAIN_PHOTOS, change=CHANGES, section_seconds=section_seconds)
    if scene.camera.startswith("zoom") and rng.random() < FACES_IN_ZOOMS:
        scene.photo, scene.photo_zoom, scene.things = rng.choice(FACES), rng.random(), []
    move_photo(rng, scene)
    return scene
