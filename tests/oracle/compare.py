"""Live parity: fresh random models and shapes, through diffusers and transformers and through the worker.

    python compare.py [--seed N] [--worker target/release/framepack-worker]

Prints a row per output and ends with `N passed, M failed`; the exit status is 1 if any failed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import math
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from diffusers import AutoencoderKLHunyuanVideo, HunyuanVideoFramepackTransformer3DModel
from PIL import Image
from safetensors.torch import load_file

import cases_transformer
import cases_vae
import generate
import packed
import text
from draw import Draw
from store import Case, Store

ROOT = Path(__file__).resolve().parents[2]

# Relative difference allowed in what a step cache compares with its threshold.
DISTANCE = 1e-3

# Of Llama-3's vocabulary: what FramePack's template becomes, up to the prompt, and two prompts after it.
TEMPLATE_IDS = [
    128000, 128006, 9125, 128007, 271, 75885, 279, 2835, 555, 45293, 279, 2768, 13878, 25, 220, 16, 13, 578, 1925,
    2262, 323, 7057, 315, 279, 2835, 13, 17, 13, 578, 1933, 11, 6211, 11, 1404, 11, 10651, 11, 12472, 11, 1495, 11,
    323, 29079, 12135, 315, 279, 6302, 13, 18, 13, 27820, 11, 4455, 11, 28198, 37015, 12135, 11, 7106, 7351, 4442,
    315, 279, 6302, 13, 19, 13, 4092, 4676, 11, 3177, 11, 1742, 323, 16975, 13, 20, 13, 6382, 27030, 11, 19567, 11,
    323, 34692, 1511, 304, 279, 2835, 25, 128009, 128006, 882, 128007, 271,
]  # fmt: skip
PROMPT_IDS = {
    "": [128009],
    "A cat": [32, 8415, 128009],
    text.DANCER: [
        791, 893, 73806, 38556, 456, 2740, 11, 514, 14550, 5209, 38635, 449, 15962, 6916, 57890, 323, 4062, 4579,
        1816, 13, 128009,
    ],
}  # fmt: skip


@dataclass
class Worker:
    program: Path

    def run(self, *arguments: object) -> bytes:
        command = [str(self.program), *(str(argument) for argument in arguments)]
        done = subprocess.run(command, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}\n{done.stderr.decode(errors='replace')}")
        return done.stdout


def is_near(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=DISTANCE, abs_tol=1e-7)


class Table:
    """Prints rows as they come, and counts."""

    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.worst: dict[str, list[float]] = {}
        self._print("case", "output", "shape", "max abs", "rel L2", "allowed", "")

    def tensor(self, name: str, output: str, found: torch.Tensor, expected: torch.Tensor, tolerance: dict) -> None:
        if found.shape != expected.shape:
            self.exact(name, output, list(found.shape), list(expected.shape))
            return
        delta = (found.double() - expected.double()).flatten()
        max_abs = delta.abs().max().item()
        rel_l2 = (delta.norm() / expected.double().norm()).item()
        most = math.inf if tolerance["max_abs"] is None else tolerance["max_abs"]
        shape = "x".join(str(size) for size in expected.shape)
        allowed = f"{most:.0e} {tolerance['rel_l2']:.0e}"
        ok = self._count(max_abs <= most and rel_l2 <= tolerance["rel_l2"])
        kind = name.split("/")[0] + (" (f32)" if tolerance["max_abs"] is not None else " (half precision)")
        outputs, worst_abs, worst_rel = self.worst.get(kind, [0, 0.0, 0.0])
        self.worst[kind] = [outputs + 1, max(worst_abs, max_abs), max(worst_rel, rel_l2)]
        self._print(name, output, shape, f"{max_abs:.2e}", f"{rel_l2:.2e}", allowed, ok)

    def exact(self, name: str, output: str, found: object, expected: object) -> None:
        ok = self._count(found == expected)
        self._print(name, output, "", "", "", "exact", ok)
        if found != expected:
            print(f"  found    {str(found)[:300]}\n  expected {str(expected)[:300]}")

    def trace(self, name: str, found: dict, expected: dict) -> None:
        """A step cache's decisions, and what it compared before each."""
        if "computed" not in expected:
            self.exact(name, "branches", sorted(found), sorted(expected))
            for branch, value in expected.items():
                self.trace(f"{name} {branch}", found[branch], value)
            return
        self.exact(name, "computed", found["computed"], expected["computed"])
        ok = [is_near(a, b) for a, b in zip(found["distance"], expected["distance"], strict=True)]
        self._print(name, "distance", str(len(ok)), "", "", f"{DISTANCE:.0e}", self._count(all(ok)))
        if not all(ok):
            print(f"  found    {found['distance']}\n  expected {expected['distance']}")

    def error(self, name: str, error: Exception) -> None:
        self._print(name, "", "", "", "", "", self._count(False))
        print("  " + "\n  ".join(str(error).splitlines()[-8:]))

    def summary(self) -> None:
        """The largest differences of each component, then the verdict."""
        print()
        self._print("component", "outputs", "", "max abs", "rel L2", "", "")
        for kind, (outputs, max_abs, rel_l2) in self.worst.items():
            self._print(kind, str(outputs), "", f"{max_abs:.2e}", f"{rel_l2:.2e}", "", "")
        print(f"{self.passed} passed, {self.failed} failed")

    def _count(self, ok: bool) -> str:
        self.passed, self.failed = self.passed + ok, self.failed + (not ok)
        return "ok" if ok else "FAILED"

    @staticmethod
    def _print(*columns: str) -> None:
        widths = (38, 20, 20, 9, 9, 12, 6)
        print(" ".join(column.ljust(width) for column, width in zip(columns, widths)).rstrip(), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="repeat an earlier comparison")
    parser.add_argument("--worker", type=Path, default=ROOT / "target/release/framepack-worker")
    parser.add_argument("--keep", type=Path, help="keep the models and tensors here")
    args = parser.parse_args()

    seed = random.SystemRandom().randrange(10**6) if args.seed is None else args.seed
    torch.set_num_threads(2)
    print(f"seed {seed}", " ".join(f"{name} {number}" for name, number in generate.versions().items()))
    with tempfile.TemporaryDirectory() as temporary:
        root = args.keep or Path(temporary)
        table = compare(Worker(args.worker), Store(root / "parity"), seed)
    table.summary()
    return int(table.failed > 0)


def compare(worker: Worker, store: Store, seed: int) -> Table:
    generate.write_cases(store, seed, live=True)
    table = Table()
    for case in store.cases:
        attempt(table, case.name, partial(forward, worker, store.root, case, table))
    for component in ("transformer", "vae-decode"):
        name = f"{component}/synthesised"
        attempt(table, name, partial(synthesised, worker, store.root, component, Draw(seed, live=True), table))
    for command in store.commands["tokenize"]:
        name = f"tokenize/{command['text'][:16]!r}"
        attempt(table, name, partial(tokenize, worker, store.root / command["model"], name, command, table))
    attempt(table, "tokenize/llama-3", partial(llama_3, worker, store.root, table))
    for command in store.commands["preprocess"]:
        name = f"preprocess/{Path(command['image']).stem}-{command['bucket']}"
        attempt(table, name, partial(preprocess, worker, store.root, name, command, table))
    return table


def attempt(table: Table, name: str, check: Callable[[], None]) -> None:
    """A worker that fails is a row of its own, and the rest still runs."""
    try:
        check()
    except (RuntimeError, OSError, ValueError, KeyError) as error:
        table.error(name, error)


def forward(worker: Worker, root: Path, case: Case, table: Table) -> None:
    output = root / "output.safetensors"
    output.unlink(missing_ok=True)
    dtype = [] if "--dtype" in case.flags else ["--dtype", "f32"]
    model = case.model if case.model.startswith("random:") else root / case.model
    paths = ["--model", model, "--inputs", root / case.inputs, "--output", output]
    trace = ["--cache-trace", root / "trace.json"] if case.trace else []
    worker.run("forward", case.component, *paths, *case.flags, *trace, *dtype, "--device", "cpu")
    if case.trace:
        decisions = [json.loads((root / file).read_text()) for file in ("trace.json", case.trace)]
        table.trace(case.name, *decisions)
    found, expected = load_file(output), load_file(root / case.expected)
    tolerance = {"max_abs": case.tolerance.max_abs, "rel_l2": case.tolerance.rel_l2}
    for name, value in expected.items():
        table.tensor(case.name, name, found[name], value, tolerance)


def synthesised(worker: Worker, root: Path, component: str, draw: Draw, table: Table) -> None:
    """Weights made by the worker itself: written out for the reference, made anew for `random:SEED`."""
    model = "transformer" if component == "transformer" else "vae"
    config, weights = root / f"models/{model}", root / f"models/{model}-synthesised"
    seed = draw.random.randrange(1000)
    worker.run("synth", "--config", config, "--seed", seed, "--out", weights)
    if component == "transformer":
        # The class name that FramePack's own files carry is not one that diffusers knows.
        reference = load_diffusers(HunyuanVideoFramepackTransformer3DModel, weights)
        inputs = cases_transformer.step(draw, reference, cases_transformer.Shape(height=6, width=6))
        expected, tolerance = {"sample": packed.velocity(reference, inputs)}, cases_transformer.FORWARD
    else:
        reference = load_diffusers(AutoencoderKLHunyuanVideo, weights)
        inputs = {"latents": draw.normal(1, 16, 5, 2, 3)}
        expected, tolerance = cases_vae.decode(reference, inputs["latents"]), cases_vae.DECODE
    case = Store(root).forward(f"{component}/synthesised", f"random:{seed}:{config}", inputs, expected, tolerance)
    forward(worker, root, case, table)
    output = root / "output.safetensors"
    paths = ["--inputs", root / case.inputs, "--output", output, "--dtype", "f32"]
    from_files = load_file(output)
    worker.run("forward", component, "--model", weights, *paths)
    table.exact(case.name, "same from files", all(v.equal(from_files[k]) for k, v in load_file(output).items()), True)


def load_diffusers(kind: type, directory: Path) -> torch.nn.Module:
    return (
        kind.from_pretrained(str(directory), torch_dtype=torch.float32, low_cpu_mem_usage=False)
        .eval()
        .requires_grad_(False)
    )


def tokenize(worker: Worker, model: Path, name: str, command: dict, table: Table) -> None:
    ids = json.loads(worker.run("tokenize", "--model", model, "--text", command["text"]))
    for which in ("llama", "clip"):
        table.exact(name, which, ids[which], command[which])


def llama_3(worker: Worker, root: Path, table: Table) -> None:
    """The real vocabulary, from the package that ships it."""
    package = importlib.util.find_spec("llama_models")
    if package is None:
        raise RuntimeError("the package llama-models of requirements.txt is not installed")
    vocabulary = Path(package.submodule_search_locations[0]) / "llama3/tokenizer.model"
    bundle = root / "llama-3"
    text.convert_tiktoken(vocabulary, bundle / "tokenizer")
    text.train_clip(bundle / "tokenizer_2")
    for prompt, ids in PROMPT_IDS.items():
        found = json.loads(worker.run("tokenize", "--model", bundle, "--text", prompt))
        table.exact(f"tokenize/llama-3 {prompt[:16]!r}", "llama", found["llama"], TEMPLATE_IDS + ids)
    for prompt in text.PROMPTS[3:]:
        if "\0" not in prompt:
            found = json.loads(worker.run("tokenize", "--model", bundle, "--text", prompt))
            expected = text.llama_ids(bundle / "tokenizer", prompt)
            table.exact(f"tokenize/llama-3 {prompt[:16]!r}", "llama", found["llama"], expected)


def preprocess(worker: Worker, root: Path, name: str, command: dict, table: Table) -> None:
    output = root / "output.png"
    worker.run("preprocess", "--image", root / command["image"], "--bucket", command["bucket"], "--output", output)
    image = Image.open(output).convert("RGB")
    table.exact(name, "size", image.size, (command["width"], command["height"]))
    table.exact(name, "bytes", hashlib.sha256(image.tobytes()).hexdigest(), command["sha256"])


if __name__ == "__main__":
    sys.exit(main())
