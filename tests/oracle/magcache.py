"""MagCache's rule, as FramePack-Studio has it: which steps reuse the last residual is known before a run.

Ratios of the residuals' magnitudes in consecutive steps were measured for the two published models. Their
product over the steps since the last computed one says how far a reused residual is off.
"""

from __future__ import annotations

import json
from pathlib import Path

RATIOS = json.loads((Path(__file__).parent / "magcache_ratios.json").read_text())
RESOLUTIONS = (768, 640, 512, 384, 256, 128)
STEPS = (25, 50, 75)
# A step whose own ratio is further from 1 is computed, whatever has accumulated.
MAX_DEVIATION = 0.06


def resolution(height: int, width: int) -> int:
    """The measured resolution next to a size in pixels; of two equally near, the larger."""
    return min(RESOLUTIONS, key=lambda key: abs(key - (height + width) / 2))


def ratios(family: str, resolution: int, steps: int) -> list[float]:
    """A value a step, from the table for the nearest number of steps; round() takes halves to even."""
    nearest = min(STEPS, key=lambda key: abs(key - steps))
    table = RATIOS[family][str(resolution)][str(nearest)]
    if steps == nearest:
        return table
    if steps == 1:
        return table[-1:]
    return [table[round(step * (nearest - 1) / (steps - 1))] for step in range(steps)]


class Rule:
    """`reuse` is asked once a step and gives the decision and the accumulated error it was made from."""

    def __init__(self, ratios: list[float], threshold: float = 0.1, max_skip: int = 2, retention: float = 0.25) -> None:
        self.ratios, self.threshold, self.max_skip = ratios, threshold, max_skip
        self.first = max(1, int(retention * len(ratios)))
        self.step = 0
        self._start_over()

    def _start_over(self) -> None:
        self.ratio, self.error, self.skipped = 1.0, 0.0, 0

    def reuse(self) -> tuple[bool, float | None]:
        step, self.step = self.step, self.step + 1
        if step < self.first:
            return False, None
        self.ratio *= self.ratios[step]
        self.error += abs(1 - self.ratio)
        self.skipped += 1
        error = self.error
        near = abs(1 - self.ratios[step]) <= MAX_DEVIATION
        if error <= self.threshold and self.skipped <= self.max_skip and near:
            return True, error
        self._start_over()
        return False, error


def sequence(rule: Rule) -> str:
    """A letter a step: C is computed, s is skipped."""
    return "".join("s" if rule.reuse()[0] else "C" for _ in rule.ratios)
