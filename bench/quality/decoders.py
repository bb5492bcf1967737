"""Who decodes in bench/quality/vae.py: the worker, and diffusers in a process of its own."""

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
TORCH_NAMES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
# What the reference's first tile and each after it add, in latent frames, and the frames over which they fade.
REFERENCE_TILE, REFERENCE_STRIDE, REFERENCE_BLEND = 5, 3, 4


class Failure(Exception):
    """What a program said before it ended in failure."""


@dataclass
class Decode:
    """Files with `sample`, which frames of the single pass theirs are, and what it took."""

    files: list
    positions: range | list
    seams: set
    secs: float
    peak_bytes: int
    lost: int = 0

    @property
    def digest(self):
        return hashlib.sha256(b"".join(path.read_bytes() for path in self.files)).hexdigest()


def words(arguments):
    return [str(word) for pair in arguments.items() for word in pair]


def said(command):
    """The standard output of a command."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise Failure(f"{Path(str(command[0])).name}: {last[0]}")
    return done.stdout


def reference(command, arguments):
    """What a command of diffusers' side printed, one dictionary a line."""
    script = BENCH / "reference/autoencoder.py"
    return [json.loads(line) for line in said([sys.executable, script, command, *words(arguments)]).splitlines()]


def all_frames(latent_frames):
    return range(4 * latent_frames - 3)


def reference_seams(latent_frames):
    """A tile counts whose second latent frame is there: the first only gives the others their past."""
    tiles = (latent_frames - 2) // REFERENCE_STRIDE
    meetings = [first_frame(REFERENCE_TILE + REFERENCE_STRIDE * tile) for tile in range(tiles)]
    return seams(latent_frames, meetings, REFERENCE_BLEND)


def chunk_seams(latent_frames, first, chunk, blend):
    return seams(latent_frames, [first_frame(start) for start in range(first, latent_frames, chunk)], blend)


def seams(latent_frames, meetings, blend):
    """Frames whose change from the one before them belongs to where pieces meet.

    Meetings are the first frames of which a piece is alone; it fades in over the `blend` frames before.
    """
    fades = {frame for meeting in meetings for frame in range(meeting - blend, meeting + 1)}
    return fades & set(all_frames(latent_frames)[1:])


def first_frame(latent_frame):
    return 4 * latent_frame - 3


class Worker:
    """Our decodes: the command line, which takes --vae flags, or none for the reference's tiles."""

    FLAGS = ("--vae-chunk", "--vae-quality", "--vae-blend")

    def __init__(self, args, dtype, folder):
        self.args, self.folder = args, folder
        self.where = {"--model": args.vae, "--dtype": dtype, "--device": args.device}
        self.tiny_bytes = None

    @staticmethod
    def check_flags(worker):
        for command in ("forward", "bench"):
            help_text = said([worker, command, "vae-decode", "--help"])
            missing = [flag for flag in Worker.FLAGS if flag not in help_text]
            if missing:
                raise Failure(
                    f"{worker}: `{command} vae-decode` doesn't know {', '.join(missing)}, which the rows chunks and "
                    "quality need: build a newer worker, or ask for --rows reference,original"
                )

    def decode(self, group, way):
        in_space, flags = way
        files = []
        for latents in group.latents:
            files.append(self.folder / f"worker-{latents.name}")
            command = {**self.where, **flags, "--inputs": latents, "--output": files[-1]}
            said([self.args.worker, "forward", "vae-decode", *words(command), *["--tiling"] * in_space])
        measured, peak_bytes = self.bench(group.size_px, group.latent_frames, in_space, flags, self.args.runs)
        if measured["measured_peak_bytes"] is None:
            if self.tiny_bytes is None:
                _, self.tiny_bytes = self.bench([16, 16], 1, False, {}, 1)
            peak_bytes -= self.tiny_bytes
        else:
            peak_bytes = measured["measured_peak_bytes"]
        meetings = self.seams(group.latent_frames, measured, flags)
        return Decode(files, all_frames(group.latent_frames), meetings, measured["decode_secs"], peak_bytes)

    def bench(self, size_px, latent_frames, in_space, flags, runs):
        """What the worker says, and its most resident memory."""
        height, width = size_px
        resident = self.folder / "resident"
        command = {
            **self.where, **flags, "--size": f"{height}x{width}", "--latent-frames": latent_frames,
            "--tiles": "space" if in_space else "time", "--runs": runs,
        }  # fmt: skip
        launcher = [sys.executable, BENCH / "reference/resident.py", resident, self.args.worker]
        answer = said([*launcher, "bench", "vae-decode", "--json", *words(command)])
        return json.loads(answer.splitlines()[-1]), int(resident.read_text())

    @staticmethod
    def seams(latent_frames, measured, flags):
        if not flags:
            return reference_seams(latent_frames)
        facts = measured.get("vae") or measured
        missing = [name for name in ("chunk_latent_frames", "blend_frames") if name not in facts]
        if missing:
            raise Failure(f"`bench vae-decode --json` doesn't say {', '.join(missing)}: where do chunks meet?")
        if facts.get("step_latent_frames") and facts["chunk_latent_frames"] >= latent_frames:
            # The first step is one longer; nothing fades.
            step = facts["step_latent_frames"]
            return chunk_seams(latent_frames, step + 1, step, 0)
        chunk = facts["chunk_latent_frames"]
        return chunk_seams(latent_frames, facts.get("first_chunk_latent_frames", chunk), chunk, facts["blend_frames"])


class Diffusers:
    """The reference's decodes, and those of the Python application, which cuts latents and joins what comes out."""

    def __init__(self, args, dtype, folder, ways=()):
        self.args, self.dtype, self.folder, self.ways = args, dtype, folder, ways
        self.measured = None

    def whole(self, latents):
        """The files of one pass."""
        self._run(latents, ["whole"], 0)
        return [self._kept(path, "whole") for path in latents]

    def decode(self, group, way):
        """All ways are decoded by one process, since its start takes long; the first call waits for it."""
        if self.measured is None:
            self.measured = self._run(group.latents, self.ways, self.args.runs)
        measured = self.measured[way]
        if "error" in measured:
            raise Failure(measured["error"])
        files = [self._kept(path, way) for path in group.latents]
        frames = group.latent_frames
        cost = {"secs": measured["decode_secs"], "peak_bytes": measured["measured_peak_bytes"]}
        if way == "whole":
            return Decode(files, all_frames(frames), set(), **cost)
        if way in ("framewise", "tiled"):
            return Decode(files, all_frames(frames), reference_seams(frames), **cost)
        positions, cuts = joined(frames, int(way.removeprefix("chunked")))
        return Decode(files, positions, cuts, **cost, lost=4 * frames - 3 - len(positions))

    def _run(self, latents, ways, runs):
        arguments = {
            "--model": self.args.vae, "--latents": ",".join(map(str, latents)), "--ways": ",".join(ways),
            "--output": self.folder, "--dtype": TORCH_NAMES[self.dtype], "--device": self.args.device, "--runs": runs,
        }  # fmt: skip
        return {measured["way"]: measured for measured in reference("decode", arguments)}

    def _kept(self, latents, way):
        return self.folder / f"{latents.stem}-{way}.safetensors"


def joined(latent_frames, chunk):
    """Which frames are left when chunks are decoded on their own and joined, and the first frames of all but the first.

    Of a chunk's first latent frame only one of four frames comes out, which stands for the last of them.
    """
    positions, cuts = [], set()
    for start in range(0, latent_frames, chunk):
        if start:
            cuts.add(len(positions))
        end = min(start + chunk, latent_frames)
        positions += range(4 * start, 4 * (end - 1) + 1)
    return positions, cuts
