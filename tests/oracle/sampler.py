"""FramePack's sampler: shifted sigmas, classifier-free guidance, and UniPC over x0 predictions.

UniPC is Zhao et al., "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion
Models" (2023), in the data-prediction form with B(h) = h ("bh1") and order 3, on the flow-matching
path x = (1 - sigma) x0 + sigma noise, where lambda = -ln(sigma) takes the place of the half log-SNR.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

Model = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def flow_shift(latent_tokens: int) -> float:
    """mu of the time shift, which grows with the number of noise tokens and stops at ln 7."""
    slope = (1.15 - 0.5) / (4096 - 256)
    intercept = 0.5 - slope * 256
    return min(slope * latent_tokens + intercept, math.log(7.0))


def sigmas(steps: int, mu: float, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """`steps + 1` values from 1 to 0."""
    t = torch.linspace(1, 0, steps + 1, dtype=dtype)
    return math.exp(mu) / (math.exp(mu) + (1 / t - 1))


@dataclass(frozen=True)
class Guidance:
    """`distilled` is embedded by the model; `cfg` and `rescale` act on its outputs."""

    distilled: float = 10.0
    cfg: float = 1.0
    rescale: float = 0.0


def rescale_noise(v: torch.Tensor, positive: torch.Tensor, amount: float) -> torch.Tensor:
    """Lin et al. (2023) §3.4: give the guided output the standard deviation of the positive one."""
    if amount == 0.0:
        return v
    axes = tuple(range(1, v.ndim))
    matched = v * (positive.std(dim=axes, keepdim=True) / v.std(dim=axes, keepdim=True))
    return amount * matched + (1.0 - amount) * v


@dataclass
class Denoiser:
    """Turns velocities into x0. What the model sees is rounded to `dtype`, and x0 starts from that x."""

    velocity: Callable[[torch.Tensor, torch.Tensor, torch.Tensor, bool], torch.Tensor]
    guidance: Guidance
    dtype: torch.dtype = torch.float32

    def __call__(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        x = x.to(self.dtype)
        timestep = (sigma.reshape(1).float() * 1000.0).to(self.dtype)
        guidance = torch.tensor([self.guidance.distilled * 1000.0]).to(self.dtype)
        positive = self.velocity(x, timestep, guidance, True).float()
        v = positive
        if self.guidance.cfg != 1.0:
            negative = self.velocity(x, timestep, guidance, False).float()
            v = negative + self.guidance.cfg * (positive - negative)
            v = rescale_noise(v, positive, self.guidance.rescale)
        return x.float() - v * sigma


@dataclass
class Trace:
    """What each step did, for tests that look inside."""

    x: list[torch.Tensor] = field(default_factory=list)
    denoised: list[torch.Tensor] = field(default_factory=list)
    predictor: list[list[float]] = field(default_factory=list)
    corrector: list[list[float]] = field(default_factory=list)


def unipc(model: Model, noise: torch.Tensor, schedule: torch.Tensor, trace: Trace | None = None) -> torch.Tensor:
    """Sample with `len(schedule) - 1` model calls; the result is the last x0, not the integrated x."""
    steps = len(schedule) - 1
    order = min(3, steps - 1)
    x, times, outputs = noise, [], []
    for i in range(steps):
        sigma = schedule[i]
        if i == 0:
            predictor, corrector = [], []
            outputs.append(model(x, sigma))
        else:
            x, denoised, predictor, corrector = _step(model, x, outputs, times, sigma, min(i, order))
            outputs.append(denoised)
        times.append(sigma)
        if order > 0:
            outputs, times = outputs[-order:], times[-order:]
        if trace is not None:
            trace.x.append(x)
            trace.denoised.append(outputs[-1])
            trace.predictor.append(predictor)
            trace.corrector.append(corrector)
    return outputs[-1]


def _step(
    model: Model, x: torch.Tensor, outputs: list[torch.Tensor], times: list[torch.Tensor], t: torch.Tensor, order: int
) -> tuple[torch.Tensor, torch.Tensor, list[float], list[float]]:
    """One predictor and corrector step of the given order from times[-1] to t."""
    t0, m0 = times[-1], outputs[-1]
    h = torch.log(t0) - torch.log(t)
    ratios = [(torch.log(t0) - torch.log(times[-(j + 1)])) / h for j in range(1, order)]
    differences = [(outputs[-(j + 1)] - m0) / r for j, r in enumerate(ratios, start=1)]

    nodes = torch.stack([*ratios, torch.ones_like(h)])
    matrix, rhs = _order_conditions(nodes, -h)
    if order == 1:
        predictor, corrector = nodes[:0], torch.full_like(nodes, 0.5)
    else:
        predictor = torch.full_like(nodes[:1], 0.5) if order == 2 else torch.linalg.solve(matrix[:-1, :-1], rhs[:-1])
        corrector = torch.linalg.solve(matrix, rhs)

    b_h = -h
    base = (t / t0) * x - torch.expm1(-h) * m0
    predicted = base - b_h * sum((rho * d for rho, d in zip(predictor, differences)), torch.zeros_like(x))
    denoised = model(predicted, t)
    residual = sum((rho * d for rho, d in zip(corrector, differences)), torch.zeros_like(x))
    corrected = base - b_h * (residual + corrector[-1] * (denoised - m0))
    return corrected, denoised, predictor.tolist(), corrector.tolist()


def _order_conditions(nodes: torch.Tensor, hh: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The linear system R rho = b of UniPC: row j holds the nodes to the power j."""
    phi, factorial, rows, rhs = torch.expm1(hh) / hh - 1, 1.0, [], []
    for j in range(1, len(nodes) + 1):
        rows.append(nodes ** (j - 1))
        rhs.append(phi * factorial / hh)
        factorial *= j + 1
        phi = phi / hh - 1 / factorial
    return torch.stack(rows), torch.stack(rhs)
