"""Plain English for a scene, with synonyms, word order and casing varied."""

SHAPE_WORDS = {
    "ball": ["ball", "ball", "sphere", "circle"], "square": ["square", "box", "block"],
    "triangle": ["triangle"], "star": ["star"], "ring": ["ring", "donut"],
    "diamond": ["diamond", "rhombus"], "cross": ["cross", "plus sign"], "hexagon": ["hexagon"],
}
COLOR_WORDS = {"purple": ["purple", "violet"], "teal": ["teal", "turquoise"]}
TEXTURE_WORDS = {"striped": ["striped"], "spotted": ["spotted", "dotted"], "checkered": ["checkered"]}
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
PHOTO_OPENERS = ["a photo of ", "", "", "a photograph of ", "a picture of "]
SCENE_TAILS = ["", "", "", "", " on a blurred background", " in soft light", " in front of a wall", " on a table", " indoors"]
STILL_SCENES = ["nothing moves", "everything stays still", "a still photo", "the picture does not move"]


def _pick(rng, table, key):
    return rng.choice(table.get(key, [key]))


def _noun(rng, thing, article="a"):
    words = []
    if thing.texture != "plain" and rng.random() < 0.75:
        words.append(_pick(rng, TEXTURE_WORDS, thing.texture))
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


def _thing_clause(rng, thing):
    verb = rng.choice(VERBS[thing.motion])
    if thing.motion != "still":
        verb = _with_adverb(rng, verb, thing.speed)
    return f"{_noun(rng, thing, rng.choice(['a', 'a', 'the']))} {verb}"


def _camera_clause(rng, scene):
    verb = _with_adverb(rng, rng.choice(CAMERA_VERBS[scene.camera]), scene.camera_speed)
    return f"the {rng.choice(['camera', 'camera', 'view'])} {verb}"


def caption(rng, scene):
    """One sentence or two for the scene, different at each call."""
    if scene.camera != "none":
        camera = _camera_clause(rng, scene)
        if scene.things:
            subject = _noun(rng, scene.things[0]) + rng.choice(SCENE_TAILS)
        else:
            subject = rng.choice(PHOTO_OPENERS) + rng.choice(PHOTO_WORDS[scene.photo])
        text = rng.choice([f"{camera}", f"{subject}, {camera}", f"{camera}, {subject}", f"{subject}. {camera}"])
    elif not scene.things:
        subject = rng.choice(PHOTO_OPENERS) + rng.choice(PHOTO_WORDS[scene.photo])
        text = rng.choice([f"{subject}, {rng.choice(STILL_SCENES)}", rng.choice(STILL_SCENES)])
    else:
        joint = rng.choice([" and ", " and ", ", ", " while "])
        things = list(scene.things)
        rng.shuffle(things)
        text = joint.join(_thing_clause(rng, thing) for thing in things) + rng.choice(SCENE_TAILS)
    if rng.random() < 0.5:
        text = ". ".join(part[:1].upper() + part[1:] for part in text.split(". ")) + "."
    return text


def vocabulary_text():
    """Every word the grammar can say, for training the tokenizers."""
    lines = [" ".join(words) for table in (SHAPE_WORDS, COLOR_WORDS, TEXTURE_WORDS, VERBS, CAMERA_VERBS, ADVERBS, PHOTO_WORDS)
             for words in table.values()]
    return lines + PHOTO_OPENERS + SCENE_TAILS + STILL_SCENES
