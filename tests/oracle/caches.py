"""Step caches around diffusers' module: what is computed in a step, and what is taken from an earlier one.

A cache stands in the module's list of blocks as its only block, so that everything before and after the blocks
is diffusers' own. TeaCache is Liu et al., "Timestep Embedding Tells: It's Time to Cache for Video Diffusion
Model" (2024), with FramePack's coefficients and its rule for the first and the last step.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import nn

import arguments
import magcache
from store import Tensors

# TeaCache's estimate of a step's change from that of its modulated input, highest power first.
POLYNOMIAL = (733.226126, -401.131952, 67.5869174, -3.14987800, 0.0961237896)


def estimate(change: float) -> float:
    """Horner's scheme in f64."""
    value = 0.0
    for coefficient in POLYNOMIAL:
        value = value * change + coefficient
    return value


@dataclass
class Call:
    """What the blocks get in one step. `latents` of the image tokens are noise, and come last."""

    blocks: list[nn.Module]
    x: torch.Tensor
    context: torch.Tensor
    temb: torch.Tensor
    rope: tuple[torch.Tensor, torch.Tensor]
    latents: int

    def run(self, blocks: list[nn.Module], x: torch.Tensor, context: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        for block in blocks:
            x, context = block(x, context, self.temb, None, self.rope)
        return x, context

    def run_all(self) -> torch.Tensor:
        return self.run(self.blocks, self.x, self.context)[0]


@dataclass
class Cache(ABC):
    """The state of one guidance branch in one run, and its trace."""

    steps: int
    computed: list[bool] = field(default_factory=list)
    distance: list[float | None] = field(default_factory=list)

    @abstractmethod
    def step(self, call: Call) -> torch.Tensor:
        """The image tokens after all blocks; adds an entry to the trace."""

    def is_end(self) -> bool:
        """Whether this step is the first or the last one."""
        return len(self.computed) in (0, self.steps - 1)

    def note(self, reuse: bool, distance: float | None = None) -> None:
        self.computed.append(not reuse)
        # Seven digits are what an f32 has.
        self.distance.append(distance if distance is None else float(f"{distance:.7g}"))

    def trace(self) -> dict:
        return {"computed": self.computed, "distance": self.distance}


@dataclass
class TeaCache(Cache):
    threshold: float = 0.15
    accumulated: float = 0.0
    signal: torch.Tensor | None = None
    residual: torch.Tensor | None = None

    def step(self, call: Call) -> torch.Tensor:
        signal, *_ = call.blocks[0].norm1(call.x, emb=call.temb)
        reuse, distance = False, None
        if not self.is_end():
            change = (signal - self.signal).abs().mean() / self.signal.abs().mean()
            self.accumulated += estimate(change.item())
            distance = self.accumulated
            reuse = distance < self.threshold
        # Moves on in skipped steps too.
        self.signal = signal
        self.note(reuse, distance)
        if reuse:
            return call.x + self.residual
        self.accumulated = 0.0
        x = call.run_all()
        self.residual = x - call.x
        return x


@dataclass
class MagCache(Cache):
    rule: magcache.Rule | None = None
    residual: torch.Tensor | None = None

    def step(self, call: Call) -> torch.Tensor:
        reuse, distance = self.rule.reuse()
        self.note(reuse, distance)
        if reuse:
            return call.x + self.residual
        x = call.run_all()
        self.residual = x - call.x
        return x


@dataclass
class FirstBlockCache(Cache):
    """The first block always runs; its residual is compared with that of the last computed step."""

    threshold: float = 0.035
    max_skip: int | None = None
    skipped: int = 0
    first: torch.Tensor | None = None
    rest: torch.Tensor | None = None

    def step(self, call: Call) -> torch.Tensor:
        x, context = call.run(call.blocks[:1], call.x, call.context)
        first = x - call.x
        reuse, distance = False, None
        if not self.is_end() and self.skipped < (self.max_skip or math.inf):
            distance = ((first - self.first).abs().mean() / self.first.abs().mean().clamp(min=1e-6)).item()
            reuse = distance < self.threshold
        self.note(reuse, distance)
        self.skipped = self.skipped + 1 if reuse else 0
        if reuse:
            return x + self.rest
        after = call.run(call.blocks[1:], x, context)[0]
        self.first, self.rest = first, after - x
        return after


class CachedBlocks(nn.Module):
    """All blocks as one, with a cache for each guidance branch."""

    def __init__(self, blocks: list[nn.Module], branches: dict[str, Cache]) -> None:
        super().__init__()
        # A tuple keeps them out of this module's own list of children.
        self.blocks, self.branches = tuple(blocks), branches
        self.branch, self.latents = "positive", 0

    def forward(
        self, x: torch.Tensor, context: torch.Tensor, temb: torch.Tensor, mask: None, rope: tuple
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert mask is None, "one sample has no mask"
        call = Call(list(self.blocks), x, context, temb, rope, self.latents)
        return self.branches[self.branch].step(call), context


@contextmanager
def around(model: nn.Module, branches: dict[str, Cache]) -> Iterator[CachedBlocks]:
    double, single = model.transformer_blocks, model.single_transformer_blocks
    cached = CachedBlocks([*double, *single], branches)
    model.transformer_blocks, model.single_transformer_blocks = nn.ModuleList([cached]), nn.ModuleList()
    try:
        yield cached
    finally:
        model.transformer_blocks, model.single_transformer_blocks = double, single


@torch.no_grad()
def velocity(model: nn.Module, cached: CachedBlocks, inputs: Tensors, branch: str) -> torch.Tensor:
    """As `packed.velocity` in f32, with `model` inside `around`."""
    frames, height, width = inputs["hidden_states"].shape[2:]
    cached.branch, cached.latents = branch, frames * (height // 2) * (width // 2)
    return model(**arguments.renamed(arguments.cast(inputs, torch.float32))).sample
