"""The one source of chance: fixed choices for the goldens, random ones for a live comparison."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import torch

T = TypeVar("T")


class Draw:
    """`pick` gives the default when goldens are made and any of the options when `live`."""

    def __init__(self, seed: int, live: bool = False) -> None:
        self.live = live
        self.random = random.Random(seed)
        self.generator = torch.Generator().manual_seed(seed)

    def pick(self, default: T, options: Sequence[T]) -> T:
        return self.random.choice(options) if self.live else default

    def normal(self, *shape: int, std: float = 1.0) -> torch.Tensor:
        return torch.randn(shape, generator=self.generator) * std

    def uniform(self, *shape: int, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
        return torch.rand(shape, generator=self.generator) * (high - low) + low

    def integers(self, low: int, high: int, count: int) -> list[int]:
        return torch.randint(low, high, (count,), generator=self.generator).tolist()
