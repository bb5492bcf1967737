"""Renders jobs with one worker, one after the other, and reads back what each left."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

ROOT = Path(__file__).resolve().parents[2]
INPUTS = ROOT / "jobs/examples/inputs"


@dataclass
class Job:
    image: str
    prompt: str
    model: str
    seed: int
    seconds: float


@dataclass
class Render:
    """Seconds from the request to the answer, luma in 0 to 1 as (frames, height, width), latents, and the answer."""

    secs: float
    frames: np.ndarray
    latents: np.ndarray
    output: dict

    def sample_secs(self):
        return sum(phase["secs"] for phase in self.output["phases"] if phase["phase"] == "sample")


class Failure(Exception):
    """What the worker said of a job that failed, or that it is gone."""


class RenderWorker:
    """A worker process with a folder of its own; leave its `with` to end it."""

    def __init__(self, program, bundle, folder, options):
        folder.mkdir()
        self.bundle, self.folder, self.count = bundle, folder, 0
        words = (word for pair in options.items() for word in pair)
        self.process = subprocess.Popen(
            [program, "serve", "--state-dir", folder, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        if self._answer("ready", "unready")["type"] == "unready":
            raise Failure("the worker can't use the device")
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def render(self, job, changes):
        """The request's fields are the job's, but for `changes`."""
        self.count += 1
        work = self.folder / str(self.count)
        work.mkdir()
        request = {
            "type": "render", "job": self.count, "name": Path(job.image).stem, "bundle": str(self.bundle),
            "f1_bundle": None, "model": job.model, "image": str(INPUTS / job.image), "image_name": job.image,
            "prompt": job.prompt, "negative_prompt": "", "seed": job.seed, "length_secs": job.seconds, "steps": None,
            "guidance": {"distilled": 10.0, "cfg": 1.0, "rescale": 0.0}, "bucket": None, "latent_window": None, "crf": 0,
            "output": str(work / "video.mp4"), "work_dir": str(work), **changes,
        }  # fmt: skip
        start = time.perf_counter()
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self._answer("done", "failed")
        secs = time.perf_counter() - start
        if answer["type"] == "failed":
            raise Failure(answer["failure"]["message"])
        output = answer["output"]
        latents = load_file(work / "latents.safetensors")["latents"]
        return Render(secs, luma(work / "video.mp4", output["plan"]), latents, output)

    def _answer(self, *types):
        for line in self.process.stdout:
            message = json.loads(line)
            if message["type"] in types:
                return message
        raise Failure(f"the worker ended with {self.process.wait()}")


def luma(path, plan):
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, np.uint8).reshape(plan["frames"], plan["height_px"], plan["width_px"]) / 255


def relative_l2(a, b):
    """The norm of the difference over that of `b`."""
    return np.linalg.norm(a - b) / np.linalg.norm(b)
