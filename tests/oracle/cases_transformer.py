"""Transformer and sampler: what the model sees in one step, and whole runs of a few steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

import bundles
import packed
import sampler
from bundles import Layout
from draw import Draw
from sections import plan_backward, plan_forward
from store import Case, Store, Tensors, Tolerance

FORWARD = Tolerance(max_abs=2e-5, rel_l2=1e-5)
FORWARD_BF16 = Tolerance(max_abs=None, rel_l2=2e-2)
SAMPLE = Tolerance(max_abs=5e-4, rel_l2=1e-4)


@dataclass(frozen=True)
class Shape:
    """Sizes of one call. None leaves a context group out."""

    frames: int = 3
    height: int = 10
    width: int = 14
    clean: int | None = 2
    clean_2x: int | None = 2
    clean_4x: int | None = 16
    text: int = 12
    valid: int = 7
    image: int = 9


def conditioning(draw: Draw, model: nn.Module, shape: Shape) -> Tensors:
    """Every transformer input but hidden_states, timestep and guidance."""
    section = (plan_backward if draw.pick(True, (True, False)) else plan_forward)(3, shape.frames)[0]
    mask = torch.arange(shape.text) < shape.valid
    inputs = {
        "encoder_hidden_states": draw.normal(1, shape.text, model.config.text_embed_dim),
        "encoder_attention_mask": mask[None],
        "pooled_projections": draw.normal(1, model.config.pooled_projection_dim),
        "image_embeddings": draw.normal(1, shape.image, model.config.image_proj_dim),
        "latent_indices": torch.tensor([section.latent]),
    }
    groups = [
        ("clean_latents", shape.clean, section.clean, "clean_latent_indices"),
        ("clean_latents_2x", shape.clean_2x, section.clean_2x, "clean_latent_2x_indices"),
        ("clean_latents_4x", shape.clean_4x, section.clean_4x, "clean_latent_4x_indices"),
    ]
    for name, count, indices, indices_name in groups:
        if count is not None:
            inputs[name] = draw.normal(1, 16, count, shape.height, shape.width)
            # Longer groups than the plan has go on counting; the model takes any index.
            following = list(range(indices[-1] + 1, indices[-1] + 1 + count))
            inputs[indices_name] = torch.tensor([(indices + following)[:count]])
    return inputs


def step(draw: Draw, model: nn.Module, shape: Shape, timestep: float = 873.25) -> Tensors:
    return {
        "hidden_states": draw.normal(1, 16, shape.frames, shape.height, shape.width),
        "timestep": torch.tensor([timestep]),
        "guidance": torch.tensor([draw.pick(10000.0, (1000.0, 6000.0, 9984.0, 10000.0))]),
        **conditioning(draw, model, shape),
    }


def write(store: Store, draw: Draw) -> tuple[nn.Module, nn.Module]:
    """Returns the models, saved as `models/transformer` and `models/transformer-framepack`."""
    large, small = _models(store.root, draw)
    _forward_cases(store, draw, large, small)
    _sample_cases(store, draw, large, small)
    return large, small


def _models(root: Path, draw: Draw) -> tuple[nn.Module, nn.Module]:
    """One in diffusers' layout, sharded bf16; one in FramePack's, a single f16 file."""
    heads = draw.pick(2, (1, 2, 3))
    axes = draw.pick((4, 6, 6), ((4, 6, 6), (8, 4, 4), (2, 8, 10)))
    large = bundles.transformer(
        draw,
        num_attention_heads=heads,
        attention_head_dim=sum(axes),
        rope_axes_dim=axes,
        num_layers=draw.pick(2, (1, 2, 3)),
        num_single_layers=draw.pick(2, (1, 2, 4)),
        text_embed_dim=draw.pick(24, (8, 24, 40)),
        image_proj_dim=draw.pick(20, (12, 20, 36)),
    )
    bundles.save(large, root / "models/transformer", Layout(dtype=torch.bfloat16, shard_bytes=200_000))
    small = bundles.transformer(
        draw,
        num_attention_heads=1,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        rope_theta=draw.pick(100.0, (64.0, 100.0, 256.0)),
        has_image_proj=1,
        has_clean_x_embedder=1,
    )
    layout = Layout(dtype=torch.float16, class_name="HunyuanVideoTransformer3DModelPacked")
    bundles.save(small, root / "models/transformer-framepack", layout)
    return large, small


def _forward_cases(store: Store, draw: Draw, large: nn.Module, small: nn.Module) -> None:
    def add(name: str, model: nn.Module, inputs: Tensors):
        directory = "models/transformer" if model is large else "models/transformer-framepack"
        sample = packed.velocity(model, inputs)
        return store.forward(f"transformer/{name}", directory, inputs, {"sample": sample}, FORWARD)

    even = (4, 6, 8, 10, 12, 14)
    shape = Shape(height=draw.pick(10, even), width=draw.pick(14, even))
    case = add("padded-ends", large, step(draw, large, shape))
    store.again(case, "bf16", FORWARD_BF16, ["--dtype", "bf16"])
    single = Shape(frames=1, height=draw.pick(6, even), width=draw.pick(10, even))
    add("one-frame", small, step(draw, small, single, timestep=1000.0))
    nine = Shape(frames=9, height=draw.pick(4, even), width=draw.pick(6, even), text=20, valid=20)
    add("nine-frames-full-mask", small, step(draw, small, nine, timestep=draw.pick(225.80645, (0.5, 17.25, 512.125))))

    odd_groups = replace(shape, frames=2, clean=3, clean_2x=1, clean_4x=3, valid=1)
    inputs = step(draw, small, odd_groups)
    inputs["encoder_attention_mask"] = inputs["encoder_attention_mask"].float()
    add("odd-groups-float-mask", small, inputs)
    for name, missing in {
        "no-4x": {"clean_4x": None},
        "only-2x": {"clean": None, "clean_4x": None},
        "no-context": {"clean": None, "clean_2x": None, "clean_4x": None},
    }.items():
        add(name, small, step(draw, small, replace(shape, frames=1, height=6, width=6, **missing)))
    half = {key: value.half() if value.is_floating_point() else value for key, value in step(draw, small, nine).items()}
    half |= {"timestep": torch.tensor([994.083]), "encoder_attention_mask": half["encoder_attention_mask"].long()}
    add("half-inputs", small, half)


def _sample_cases(store: Store, draw: Draw, large: nn.Module, small: nn.Module) -> None:
    size = (4, 6, 8, 10)
    shape = Shape(frames=9, height=draw.pick(6, size), width=draw.pick(4, size))
    noise = draw.normal(1, 16, shape.frames, shape.height, shape.width)
    inputs = {"noise": noise, **conditioning(draw, small, shape)}
    runs = [(1, 10.0, None), (2, 6.0, None), (6, 10.0, None), (draw.pick(4, (3, 4, 5, 8)), 6.05, 3.0)]
    stored: Tensors | Case = inputs
    for steps, guidance, shift in runs:
        latents = sample(small, inputs, steps, guidance, shift)
        flags = ["--steps", str(steps), "--guidance-scale", str(guidance)]
        flags += ["--shift", str(shift)] if shift else []
        name = f"sample/{steps}-steps" + (f"-shift-{shift:g}" if shift else "")
        stored = store.forward(name, "models/transformer-framepack", stored, {"latents": latents}, SAMPLE, flags)

    # Rounding the timestep turns the embedding's fastest channels: leaving it out costs ten times the tolerance.
    rounded = sample(small, inputs, 4, 10.0, dtype=torch.bfloat16)
    flags = ["--steps", "4", "--guidance-scale", "10.0", "--dtype", "bf16"]
    directory = "models/transformer-framepack"
    store.forward("sample/bf16-rounded", directory, stored, {"latents": rounded}, FORWARD_BF16, flags)


def sample(
    model: nn.Module,
    inputs: Tensors,
    steps: int,
    guidance: float,
    shift: float | None = None,
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """The last x0 of one section; `noise` is among the inputs."""
    context = {key: value for key, value in inputs.items() if key != "noise"}
    noise = inputs["noise"].float()

    def velocity(x: torch.Tensor, timestep: torch.Tensor, scale: torch.Tensor, positive: bool) -> torch.Tensor:
        call = {"hidden_states": x, "timestep": timestep, "guidance": scale, **context}
        return packed.velocity(model, call)

    denoise = sampler.Denoiser(velocity, sampler.Guidance(distilled=guidance), dtype)
    return sampler.unipc(denoise, noise, schedule(noise, steps, shift))


def schedule(noise: torch.Tensor, steps: int, shift: float | None) -> torch.Tensor:
    frames, height, width = noise.shape[2:]
    mu = sampler.flow_shift(frames * height * width // 4)
    if shift is not None:
        mu = float(torch.log(torch.tensor(shift, dtype=torch.float64)))
    return sampler.sigmas(steps, mu)
