"""Plain English for a scene, with synonyms, word order and casing varied."""

SHAPE_WORDS = {
    "ball": ["ball", "ball", "sphere", "circle"], "square": ["square", "box", "block"],
    "triangle": ["triangle"], "star": ["star"], "ring": ["ring", "donut"],
    "diamond": ["diamond", "rhombus"], "cross": ["cross", "plus sign"], "hexagon": ["hexagon"],
}
COLOR_WORDS = {"purple": ["purple", "violet"], "teal": ["teal", "turquoise"]}
TEXTURE_WORDS = {"striped": ["striped"], "spotted": ["spotted", "dotted"], "checkered": ["checkered"]}
LATER_WORDS = {"halved": ["two-colored", "two-tone"]}  # spelled with the tokens there were
VERBS = {
    "left": ["moves left", "moves to the left", "slides left", "slides to the left", "drifts to the left", "travels left"],
    "right": ["moves right", "moves to the right", "slides right", "slides to the right", "drifts to the right", "travels right"],
    "up": ["moves up", "rises", "floats up", "moves upwards", "goes up", "climbs"],
    "down": ["moves down", "falls", "sinks down", "moves downwards", "goes down", "drops down"],
    "circle": ["moves in a circle", "circles around", "goes round in circles", "flies in circles"],
    "bounce": ["bounces up and down", "bounces", "jumps up and down", "hops up and down"],
    "wave": ["waves from side to side", "sways from side to side", "swings from side to side", "waves", "rocks back and forth"],
    "grow": ["grows", "gets bigger", "becomes larger", "expands", "grows larger"],
    "shrink": ["shrinks", "gets smaller", "becomes smaller", "contracts"],
    "spin": ["spins", "rotates", "spins around", "turns around", "spins clockwise"],
    "still": ["stays still", "does not move", "rests", "stands still"],
}
CAMERA_VERBS = {
    "pan left": ["pans left", "pans to the left", "moves to the left", "turns left"],
    "pan right": ["pans right", "pans to the right", "moves to the right", "turns right"],
    "zoom in": ["zooms in", "moves closer", "pushes in", "zooms in on the scene"],
    "zoom out": ["zooms out", "moves back", "pulls back", "zooms out of the scene"],
}
ADVERBS = {
    "slow": ["slowly", "gently", "at a slow pace"], "normal": ["", "", "", "steadily"],
    "fast": ["quickly", "fast", "rapidly", "at high speed"],
}
PHOTO_WORDS = {
    "astronaut": ["a portrait of an astronaut", "an astronaut in an orange suit", "a woman in a space suit"],
    "cat": ["a cat", "a close-up of a cat", "the face of a cat"],
    "rocket": ["a rocket on its launch pad", "a rocket launch", "a rocket at night"],
    "officer": ["a portrait of an officer", "a woman in uniform", "a navy officer"],
    "galaxies": ["galaxies in deep space", "stars and galaxies", "the night sky"],
    "coffee": ["a cup of coffee", "a coffee cup on a table", "a cup and a spoon"],
}
LATER_PHOTO_WORDS = {
    "raccoon": ["a raccoon", "the face of a raccoon", "a raccoon in the leaves"],
    "temple": ["a temple", "a palace in china", "old houses"], "cameraman": ["a man with a camera", "a cameraman"],
    "motorcycle": ["a red motorcycle", "a motorcycle in a garage", "a motorbike"],
    "flower": ["a flower", "a red flower", "a close-up of a flower"],
}
PICTURES = ["a colorful picture", "a picture of shapes", "a pattern"]
PHOTO_OPENERS = ["a photo of ", "", "", "a photograph of ", "a picture of "]
SCENE_TAILS = ["", "", "", "", " on a blurred background", " in soft light", " in front of a wall", " on a table", " indoors"]
STILL_SCENES = ["nothing moves", "everything stays still", "a still photo", "the picture does not move"]


def _pick(rng, table, key):
    return rng.choice(table.get(key, [key]))


def _photo(rng, name):
    return rng.choice(PHOTO_OPENERS) + rng.choice(PHOTO_WORDS.get(name) or LATER_PHOTO_WORDS[name])


def _noun(rng, thing, article="a"):
    words = []
    if thing.texture != "plain" and rng.random() < (0.3 if thing.texture in LATER_WORDS else 0.75):
        words.append(_pick(rng, TEXTURE_WORDS | LATER_WORDS, thing.texture))
    words.append(_pick(rng, COLOR_WORDS, thing.color))
    words.append(rng.choice(SHAPE_WORDS[thing.shape]))
    if article == "a" and words[0][0] in "aeiou":
        article = "an"
    return f"{article} {' '.join(words)}"


def _with_adverb(rng, verb, speed):
    adverb = rng.choice(ADVERBS[speed])
    if not adverb:
        return verb
    if " " not in adverb and rng.random() < 0.35:
        return f"{adverb} {verb}"
    return f"{verb} {adverb}"


def _thing_clause(rng, thing, motion):
    verb = rng.choice(VERBS[motion])
    if motion != "still":
        verb = _with_adverb(rng, verb, thing.speed)
    return f"{_noun(rng, thing, rng.choice(['a', 'a', 'the']))} {verb}"


def _camera_clause(rng, motion, speed):
    verb = _with_adverb(rng, rng.choice(CAMERA_VERBS[motion]), speed)
    return f"the {rng.choice(['camera', 'camera', 'view'])} {verb}"


def _camera_sentence(rng, scene, motion):
    camera = _camera_clause(rng, motion, scene.camera_speed)
    if scene.things:
        subject = _noun(rng, scene.things[0]) + rng.choice(SCENE_TAILS)
    else:
        subject = _photo(rng, scene.photo) if scene.photo else rng.choice(PICTURES)
    return rng.choice([camera, f"{subject}, {camera}", f"{camera}, {subject}", f"{subject}. {camera}"])


def caption(rng, scene, late=False):
    """One sentence or two for the scene, different at each call; `late` for what happens after the scene's switch."""
    if scene.camera != "none":
        text = _camera_sentence(rng, scene, scene.camera_then if late else scene.camera)
    elif not scene.things:
        text = rng.choice([f"{_photo(rng, scene.photo)}, {rng.choice(STILL_SCENES)}", rng.choice(STILL_SCENES)])
    else:
        joint = rng.choice([" and ", " and ", ", ", " while "])
        things = list(scene.things)
        rng.shuffle(things)
        clauses = [_thing_clause(rng, thing, thing.then if late else thing.motion) for thing in things]
        text = joint.join(clauses) + rng.choice(SCENE_TAILS)
    if rng.random() < 0.5:
        text = ". ".join(part[:1].upper() + part[1:] for part in text.split(". ")) + "."
    return text


def vocabulary_text():
    """The words the tokenizers were trained on: all but the later ones, which keep the checked-in tokenizers as they are."""
    lines = [" ".join(words) for table in (SHAPE_WORDS, COLOR_WORDS, TEXTURE_WORDS, VERBS, CAMERA_VERBS, ADVERBS, PHOTO_WORDS)
             for words in table.values()]
    return lines + PHOTO_OPENERS + SCENE_TAILS + STILL_SCENES
