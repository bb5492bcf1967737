"""Where goldens go: safetensors files, and the manifest that lists every case.

The manifest is the only thing that the Rust test and the live comparison read, so a new case is one
entry made here, and no line of code there.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Tolerance:
    """Largest differences allowed, for outputs of order one; half precision is judged by rel_l2 alone."""

    max_abs: float | None
    rel_l2: float


@dataclass
class Case:
    """One run of `framepack-worker forward`, and what must come out of it."""

    name: str
    component: str
    model: str
    inputs: str
    expected: str
    tolerance: Tolerance
    flags: list[str] = field(default_factory=list)
    shapes: dict[str, list[int]] = field(default_factory=dict)
    # Output tensors of which only every n-th element along each axis is stored.
    stride: dict[str, list[int]] = field(default_factory=dict)
    # What `--cache-trace` must write, as a JSON file.
    trace: str | None = None

    def entry(self) -> dict:
        """For the manifest."""
        return {key: value for key, value in asdict(self).items() if key != "trace" or value is not None}


def strided(tensor: torch.Tensor, steps: list[int]) -> torch.Tensor:
    """Every n-th element along each axis."""
    return tensor[tuple(slice(None, None, step) for step in steps)]


def write_tensors(path: Path, tensors: Tensors) -> None:
    """Write a safetensors file; bool tensors become u8, which every reader knows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: _storable(t) for name, t in tensors.items()}, path)
    path.chmod(0o644)


def _storable(t: torch.Tensor) -> torch.Tensor:
    if t.dtype == torch.bool:
        t = t.to(torch.uint8)
    return t.detach().clone().contiguous()


def write_json(path: Path, value: object) -> None:
    """Indented JSON, with lists and objects of plain values on one line each."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    text = re.sub(r"\[[^][{}]*\]|\{[^][{}]*\}", lambda match: re.sub(r"\n\s*", " ", match.group()), text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


class Store:
    """Collects cases below one directory and writes its `manifest.json`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cases: list[Case] = []
        self.commands: dict[str, list[dict]] = {
            "tokenize": [],
            "preprocess": [],
            "sections": [],
            "video": [],
        }
        self.data: list[dict[str, str]] = []

    def forward(
        self,
        name: str,
        model: str,
        inputs: Tensors | Case,
        expected: Tensors,
        tolerance: Tolerance,
        flags: list[str] | None = None,
        stride: dict[str, list[int]] | None = None,
        trace: dict | None = None,
    ) -> Case:
        """Store one case; `name` is `component/what`, and names its files as well.

        An earlier case as `inputs` means its file. `trace` is a step cache's.
        """
        stride = stride or {}
        shapes = {} if isinstance(inputs, Case) else {key: list(value.shape) for key, value in inputs.items()}
        shapes |= {key: list(value.shape) for key, value in expected.items()}
        kept = {key: strided(value, stride[key]) if key in stride else value for key, value in expected.items()}
        inputs_file = inputs.inputs if isinstance(inputs, Case) else f"{name}.inputs.safetensors"
        if not isinstance(inputs, Case):
            write_tensors(self.root / inputs_file, inputs)
        write_tensors(self.root / f"{name}.expected.safetensors", kept)
        if trace is not None:
            write_json(self.root / f"{name}.trace.json", trace)
        case = Case(
            name=name,
            component=name.split("/")[0],
            model=model,
            inputs=inputs_file,
            expected=f"{name}.expected.safetensors",
            tolerance=tolerance,
            flags=flags or [],
            shapes=shapes,
            stride=stride,
            trace=None if trace is None else f"{name}.trace.json",
        )
        self.cases.append(case)
        return case

    def again(self, case: Case, what: str, tolerance: Tolerance, flags: list[str]) -> None:
        """The same inputs and outputs with further flags."""
        self.cases.append(
            Case(
                name=f"{case.name}-{what}",
                component=case.component,
                model=case.model,
                inputs=case.inputs,
                expected=case.expected,
                tolerance=tolerance,
                flags=case.flags + flags,
                shapes=case.shapes,
                stride=case.stride,
                trace=case.trace,
            )
        )

    def numbers(self, file: str, about: str, value: object) -> None:
        """Plain data for unit tests: JSON for a dict or list, safetensors for tensors."""
        path = self.root / "data" / file
        if path.suffix == ".json":
            write_json(path, value)
        else:
            write_tensors(path, value)
        self.data.append({"file": f"data/{file}", "about": about})

    def write_manifest(self, versions: dict[str, str], seed: int) -> None:
        write_json(
            self.root / "manifest.json",
            {
                "made_by": {"seed": seed, **versions},
                "forward": [case.entry() for case in self.cases],
                **self.commands,
                "data": self.data,
            },
        )
