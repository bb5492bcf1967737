"""Step caches: which steps of a run they skip, what they compared, and the latents that come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

import bundles
import caches
import cases_transformer
import magcache
import sampler
from bundles import Layout
from caches import Cache
from cases_transformer import Shape
from draw import Draw
from kv_cache import KvCache
from store import Case, Store, Tensors

# A threshold further from every value that it is compared with gives one sequence on any machine.
MARGIN = 0.01
# What a threshold is multiplied by until the run has both kinds of steps and keeps that margin.
FACTORS = (1, 1.05, 0.95, 1.1, 0.9, 1.25, 0.8, 1.5, 0.65, 2, 0.5, 3, 0.35)
GUIDANCE = 10.0
LARGE, SMALL, SMOOTH = "models/transformer", "models/transformer-framepack", "models/transformer-smooth"
# Not square, and odd in tokens: 3 x 5 a frame.
SHAPE = Shape(frames=2, height=6, width=10, clean=1, clean_2x=1, clean_4x=2)
# Sides of 192 pixels on average: as near to 128 as to 256, of which MagCache takes the larger.
STRIP = replace(SHAPE, frames=1, height=2, width=46, clean_4x=1)


@dataclass(frozen=True)
class Run:
    """Flags of one run. None leaves one to its default."""

    kind: str
    steps: int
    threshold: float | None = None
    max_skip: int | None = None
    retention: float | None = None
    refresh: int | None = None
    family: str | None = None
    shift: float | None = None
    cfg: float = 1.0

    def flags(self) -> list[str]:
        flags = ["--steps", str(self.steps), "--guidance-scale", str(GUIDANCE), "--cache", self.kind]
        options = {
            "--shift": self.shift,
            "--cfg-scale": None if self.cfg == 1.0 else self.cfg,
            "--cache-threshold": self.threshold,
            "--cache-max-skip": self.max_skip,
            "--cache-retention": self.retention,
            "--cache-refresh": self.refresh,
            "--cache-model": self.family,
        }
        return flags + [text for flag, value in options.items() if value is not None for text in (flag, f"{value}")]

    def cache(self, height: int, width: int) -> Cache:
        given = {"threshold": self.threshold, "max_skip": self.max_skip, "retention": self.retention}
        given = {name: value for name, value in given.items() if value is not None}
        match self.kind:
            case "teacache":
                return caches.TeaCache(self.steps, **given)
            case "fbcache":
                return caches.FirstBlockCache(self.steps, **given)
            case "kv":
                return KvCache(self.steps, refresh=self.refresh)
            case "magcache":
                resolution = magcache.resolution(8 * height, 8 * width)
                table = magcache.ratios(self.family or "original", resolution, self.steps)
                return caches.MagCache(self.steps, rule=magcache.Rule(table, **given))
            case _:
                raise ValueError(self.kind)


def write(store: Store, draw: Draw, large: nn.Module, small: nn.Module) -> None:
    """The models are those that `cases_transformer` saves."""
    if not draw.live:
        store.numbers("magcache.json", "sequences of MagCache: C is a computed step, s a skipped one", _magcache())
        changes = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35)
        estimates = [{"change": change, "estimate": caches.estimate(change)} for change in changes]
        store.numbers("teacache.json", "TeaCache's polynomial in f64", estimates)
    smooth = _smooth_model(draw)
    bundles.save(smooth, store.root / SMOOTH, Layout(dtype=torch.float16))
    sizes = (SHAPE, replace(SHAPE, height=4, width=14, frames=3), replace(SHAPE, height=10, width=6, clean_4x=16))
    strips = (STRIP, replace(STRIP, width=94), replace(STRIP, height=74, width=4), replace(STRIP, height=16, width=16))
    _Cases(store, draw, large, LARGE, draw.pick(SHAPE, sizes)).write(_short(draw) + _guided(draw))
    _Cases(store, draw, small, SMALL, draw.pick(STRIP, strips)).write(_strips(draw))
    _Cases(store, draw, smooth, SMOOTH, draw.pick(SHAPE, sizes)).write(_long(draw))


def _smooth_model(draw: Draw) -> nn.Module:
    """A model that changes little from step to step, as a trained one does.

    The solver's coefficients for many short steps have lost half their digits in f32. What an ordinary random model
    gives there depends on the machine's rounding more than on the cache.
    """
    model = bundles.transformer(
        draw,
        num_attention_heads=1,
        attention_head_dim=8,
        rope_axes_dim=(2, 2, 4),
        num_layers=draw.pick(2, (1, 2, 3)),
        num_single_layers=draw.pick(2, (1, 2, 3)),
        num_refiner_layers=1,
        text_embed_dim=8,
        pooled_projection_dim=8,
        image_proj_dim=8,
    )
    for name, parameter in model.named_parameters():
        if "timestep_embedder.linear_1.weight" in name:
            parameter.data *= 0.04
    return model


def _short(draw: Draw) -> list[Run]:
    runs = [
        Run("teacache", 5, 0.2),
        Run("teacache", 10, 0.3),
        Run("fbcache", 5, 0.6),
        Run("fbcache", 10, 0.5),
        Run("fbcache", 10, 0.6, max_skip=1),
        Run("magcache", 10, 0.1),
        Run("kv", 5, refresh=2),
        Run("kv", 10, refresh=4),
    ]
    return _with_steps(draw, runs, (5, 6, 8, 10))


def _guided(draw: Draw) -> list[Run]:
    runs = [
        Run("teacache", 10, 0.3, cfg=2.0),
        Run("fbcache", 10, 0.5, cfg=2.0),
        Run("magcache", 10, 0.2, cfg=2.0),
        Run("kv", 5, refresh=3, cfg=2.0),
    ]
    return _with_steps(draw, runs, (6, 8, 10))


def _strips(draw: Draw) -> list[Run]:
    runs = [
        Run("teacache", 10, 0.15, shift=3.0),
        Run("fbcache", 10, 0.45),
        Run("magcache", 7, 0.2),
        Run("magcache", 10, 0.1, family="f1"),
        Run("kv", 6, refresh=6),
    ]
    return _with_steps(draw, runs, (7, 9, 10))


def _long(draw: Draw) -> list[Run]:
    runs = [
        Run("teacache", 25, 0.15),
        Run("teacache", 25, 0.35, shift=3.0),
        Run("teacache", 50, 0.15),
        Run("teacache", 50, 0.1),
        Run("fbcache", 25, 0.035),
        Run("fbcache", 50, 0.02),
        Run("fbcache", 50, 0.035, max_skip=3),
        Run("magcache", 25, 0.1, family="original"),
        Run("magcache", 25, 0.1, family="f1"),
        Run("magcache", 50, 0.05),
        Run("magcache", 17, 0.2, family="f1"),
        Run("magcache", 20, 0.3, max_skip=5, retention=draw.pick(0.5, (0.1, 0.2, 0.5))),
        Run("magcache", 30, 0.1, max_skip=1, retention=0.0),
        Run("kv", 25, refresh=3),
    ]
    return _with_steps(draw, runs, (17, 20, 25, 33, 50))


def _with_steps(draw: Draw, runs: list[Run], options: tuple[int, ...]) -> list[Run]:
    return [replace(run, steps=draw.pick(run.steps, options)) for run in runs]


@dataclass
class _Cases:
    store: Store
    draw: Draw
    model: nn.Module
    directory: str
    shape: Shape

    def write(self, runs: list[Run]) -> None:
        inputs = self._inputs()
        # A run without guidance refuses a negative prompt.
        plain = {key: value for key, value in inputs.items() if not key.startswith("negative_")}
        stored: dict[bool, Tensors | Case] = {True: inputs, False: plain}
        for run in runs:
            if self.draw.live and run.threshold:
                run = replace(run, threshold=round(run.threshold * self.draw.random.uniform(0.7, 1.4), 4))
            settled = _settle(run, lambda run: sample(self.model, inputs, run))
            if settled is None and self.draw.live:
                continue
            assert settled is not None, f"no threshold near that of {run} is clear"
            run, latents, branches = settled
            trace = {name: cache.trace() for name, cache in branches.items()}
            guided = run.cfg != 1.0
            stored[guided] = self.store.forward(
                self._name(run),
                self.directory,
                stored[guided],
                {"latents": latents},
                cases_transformer.SAMPLE,
                run.flags(),
                stride={} if self.draw.live else {"latents": [1, 1, 1, 1, 2]},
                trace=trace if guided else trace["positive"],
            )

    def _inputs(self) -> Tensors:
        shape, config = self.shape, self.model.config
        noise = self.draw.normal(1, 16, shape.frames, shape.height, shape.width)
        return {
            "noise": noise,
            **cases_transformer.conditioning(self.draw, self.model, shape),
            "negative_encoder_hidden_states": self.draw.normal(1, shape.text, config.text_embed_dim),
            "negative_encoder_attention_mask": (torch.arange(shape.text) < 4)[None],
            "negative_pooled_projections": self.draw.normal(1, config.pooled_projection_dim),
        }

    def _name(self, run: Run) -> str:
        number = 1 + sum("/cached-" in case.name for case in self.store.cases)
        return f"sample/cached-{number:02}-{run.kind}-{run.steps}" + ("" if run.cfg == 1.0 else "-guided")


def sample(model: nn.Module, inputs: Tensors, run: Run) -> tuple[torch.Tensor, dict[str, Cache]]:
    """The last x0 of one section, and the caches by branch."""
    noise, height, width = inputs["noise"], *inputs["noise"].shape[3:]
    names = ["positive"] if run.cfg == 1.0 else ["positive", "negative"]
    branches = {name: run.cache(height, width) for name in names}
    prompt = {key: value for key, value in inputs.items() if key != "noise" and not key.startswith("negative_")}
    negative = {key.removeprefix("negative_"): value for key, value in inputs.items() if key.startswith("negative_")}

    with caches.around(model, branches) as cached:

        def velocity(x: torch.Tensor, timestep: torch.Tensor, scale: torch.Tensor, positive: bool) -> torch.Tensor:
            call = {"hidden_states": x, "timestep": timestep, "guidance": scale, **prompt}
            call |= {} if positive else negative
            return caches.velocity(model, cached, call, "positive" if positive else "negative")

        guidance = sampler.Guidance(distilled=GUIDANCE, cfg=run.cfg)
        schedule = cases_transformer.schedule(noise, run.steps, run.shift)
        latents = sampler.unipc(sampler.Denoiser(velocity, guidance), noise, schedule)
    return latents, branches


def _settle(
    run: Run, sample: Callable[[Run], tuple[torch.Tensor, dict[str, Cache]]]
) -> tuple[Run, torch.Tensor, dict[str, Cache]] | None:
    """The run with the first threshold that has both kinds of steps, and no close decision."""
    for candidate in _candidates(run):
        latents, branches = sample(candidate)
        sequences = [cache.computed for cache in branches.values()]
        apart = run.kind != "teacache" or len(sequences) == 1 or sequences[0] != sequences[1]
        if apart and all(_is_clear(candidate, cache) for cache in branches.values()):
            return candidate, latents, branches
    return None


def _candidates(run: Run) -> Iterator[Run]:
    if run.threshold is None:
        yield run
    else:
        yield from (replace(run, threshold=round(run.threshold * factor, 4)) for factor in FACTORS)


def _is_clear(run: Run, cache: Cache) -> bool:
    if run.threshold is None:
        return True
    compared = [(done, value) for done, value in zip(cache.computed, cache.distance) if value is not None]
    is_mixed = len({done for done, _ in compared}) == 2
    return is_mixed and all(abs(value - run.threshold) > MARGIN * run.threshold for _, value in compared)


def _magcache() -> dict:
    """Every table with the defaults, at round and odd numbers of steps, and a few other settings."""
    settings = [
        (family, resolution, steps, threshold, 2, 0.25)
        for family in magcache.RATIOS
        for resolution in magcache.RESOLUTIONS
        for steps in (4, 7, 17, 20, 25, 30, 50, 75, 99)
        for threshold in (0.05, 0.1, 0.2)
    ]
    settings += [("original", 640, 1, 0.1, 2, 0.25), ("f1", 640, 2, 0.1, 2, 0.0), ("f1", 128, 3, 0.1, 2, 0.0)]
    settings += [("f1", 640, 33, 0.3, 1, 0.1), ("original", 512, 25, 0.4, 6, 0.2), ("original", 384, 50, 0.3, 4, 0.0)]
    sequences = []
    for family, resolution, steps, threshold, k, retention in settings:
        rule = magcache.Rule(magcache.ratios(family, resolution, steps), threshold, k, retention)
        fields = {"family": family, "res": resolution, "steps": steps, "threshold": threshold, "k": k}
        sequences.append({**fields, "retention": retention, "computed": magcache.sequence(rule)})
    sizes = [(512, 768), (608, 640), (416, 960), (704, 704), (576, 576), (448, 448), (320, 320), (192, 192), (16, 368)]
    sizes += [(64, 64), (1088, 1920), (256, 384), (480, 672)]
    nearest = [{"height": h, "width": w, "res": magcache.resolution(h, w)} for h, w in sizes]
    return {"sequences": sequences, "resolutions": nearest}
