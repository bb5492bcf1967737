"""Whole section loops: both orders, end latents as FramePack-Studio and diffusers have them, keyframes, a prompt a section.

The loops are those of `sections`. With one step they are also diffusers' own: UniPC's x0 after its only step is what an
Euler step from 1 to 0 gives, so that its pipeline, run as it is, must agree (`by_diffusers`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, HunyuanVideoFramepackPipeline
from torch import nn

import packed
import sampler
from draw import Draw
from sections import Guides, Section, run_backward, run_forward
from store import Store, Tensors, Tolerance

# Sections build on each other, so rounding grows with every one of them.
VIDEO = Tolerance(max_abs=2e-3, rel_l2=2e-4)
MODEL = "models/transformer-framepack"
TEXT_TOKENS = 9
IMAGE_TOKENS = 5
TEXT = ("encoder_hidden_states", "encoder_attention_mask", "pooled_projections")


@dataclass(frozen=True)
class Loop:
    """One video."""

    order: str
    sections: int
    window: int
    steps: int = 2
    end_mode: str | None = None
    keyframes: list[int] = field(default_factory=list)
    # Of several prompts, the one of each section.
    prompts: list[int] | None = None

    def flags(self) -> list[str]:
        flags = ["--sections", str(self.sections), "--order", self.order, "--steps", str(self.steps)]
        return flags + (["--end-mode", self.end_mode] if self.end_mode else [])


def write(store: Store, draw: Draw, model: nn.Module) -> None:
    """`model` is the one saved as `MODEL`."""
    window, many = draw.pick(2, (1, 2, 3)), draw.pick(5, (5, 6))
    loops = {
        "plain-backward-1": Loop("backward", 1, window),
        "plain-backward-many": Loop("backward", many, window),
        "plain-forward-2": Loop("forward", 2, window),
        "end": Loop("backward", 1, window, end_mode="history"),
        "end-many": Loop("backward", many, window, end_mode="history"),
        "end-first-section": Loop("backward", 3, window, end_mode="first_section"),
        "keyframes": Loop("backward", 3, window, end_mode="history", keyframes=[0, 2]),
        "keyframes-forward": Loop("forward", 3, window, keyframes=[1]),
        "prompts": Loop("backward", 3, window, keyframes=[1], prompts=[2, 0, 0]),
        "prompts-forward": Loop("forward", 3, window, prompts=[0, 1, 0]),
        "diffusers-backward": Loop("backward", many, window, steps=1),
        "diffusers-end": Loop("backward", 2, window, steps=1, end_mode="first_section"),
        "diffusers-forward": Loop("forward", 3, window, steps=1),
    }
    for name, loop in loops.items():
        inputs = _inputs(draw, model, loop)
        make = by_diffusers if name.startswith("diffusers") else by_loop
        store.forward(f"video/{name}", MODEL, inputs, {"latents": make(model, inputs, loop)}, VIDEO, loop.flags())


def _inputs(draw: Draw, model: nn.Module, loop: Loop) -> Tensors:
    height, width = draw.pick(4, (4, 6)), draw.pick(6, (4, 6, 8))
    latent = (1, 16, 1, height, width)
    inputs = {
        "noise": draw.normal(loop.sections, 1, 16, loop.window, height, width),
        "start_latent": draw.normal(*latent),
        "image_embeddings": draw.normal(1, IMAGE_TOKENS, model.config.image_proj_dim),
    }
    prompts = [_prompt(draw, model, valid) for valid in range(3, 4 + max(loop.prompts or [0]))]
    if loop.prompts is None:
        inputs |= prompts[0]
    else:
        inputs |= {name: torch.stack([prompt[name] for prompt in prompts]) for name in TEXT}
        inputs["section_prompt"] = torch.tensor(loop.prompts)
    if loop.end_mode:
        inputs["end_latent"] = draw.normal(*latent)
    if loop.keyframes:
        inputs["keyframe_latents"] = draw.normal(len(loop.keyframes), *latent)
        inputs["keyframe_sections"] = torch.tensor(loop.keyframes)
    return inputs


def _prompt(draw: Draw, model: nn.Module, valid: int) -> Tensors:
    return {
        "encoder_hidden_states": draw.normal(1, TEXT_TOKENS, model.config.text_embed_dim),
        "encoder_attention_mask": (torch.arange(TEXT_TOKENS) < valid)[None],
        "pooled_projections": draw.normal(1, model.config.pooled_projection_dim),
    }


def by_loop(model: nn.Module, inputs: Tensors, loop: Loop) -> torch.Tensor:
    noise, start = inputs["noise"], inputs["start_latent"]
    schedule = sampler.sigmas(loop.steps, sampler.flow_shift(noise[0].numel() // 16 // 4))
    guides = Guides(
        inputs.get("end_latent"),
        loop.end_mode or "history",
        dict(zip(loop.keyframes, inputs.get("keyframe_latents", []))),
    )
    numbers = iter(range(loop.sections))

    def sample(section: Section, clean: torch.Tensor, two: torch.Tensor, four: torch.Tensor) -> torch.Tensor:
        number = next(numbers)
        text = {name: inputs[name] for name in TEXT}
        if loop.prompts is not None:
            text = {name: values[loop.prompts[number]] for name, values in text.items()}
        context = {
            "image_embeddings": inputs["image_embeddings"],
            "latent_indices": torch.tensor([section.latent]),
            "clean_latents": clean,
            "clean_latent_indices": torch.tensor([section.clean]),
            "clean_latents_2x": two,
            "clean_latent_2x_indices": torch.tensor([section.clean_2x]),
            "clean_latents_4x": four,
            "clean_latent_4x_indices": torch.tensor([section.clean_4x]),
        }

        def velocity(x: torch.Tensor, timestep: torch.Tensor, scale: torch.Tensor, _: bool) -> torch.Tensor:
            call = {"hidden_states": x, "timestep": timestep, "guidance": scale, **context, **text}
            return packed.velocity(model, call)

        return sampler.unipc(sampler.Denoiser(velocity, sampler.Guidance()), noise[number], schedule)

    run = run_backward if loop.order == "backward" else run_forward
    return run(start, loop.sections, loop.window, sample, None, guides).latents


def by_diffusers(model: nn.Module, inputs: Tensors, loop: Loop) -> torch.Tensor:
    """diffusers' pipeline with prepared latents, embeddings and noise in the place of its encoders and generator."""
    noise, start = inputs["noise"], inputs["start_latent"]
    height, width = (side * 8 for side in start.shape[3:])
    numbers = iter(range(loop.sections))

    class Prepared(HunyuanVideoFramepackPipeline):
        def encode_image(self, image: torch.Tensor, **_: object) -> torch.Tensor:
            return inputs["image_embeddings"]

        def prepare_image_latents(self, image: torch.Tensor, **_: object) -> torch.Tensor:
            # The pipeline asks for the start image's latent first.
            return start if image.mean() < 0 else inputs["end_latent"]

        def prepare_latents(self, *_: object, **__: object) -> torch.Tensor:
            return noise[next(numbers)]

    parts = dict.fromkeys(["text_encoder", "tokenizer", "vae", "text_encoder_2", "tokenizer_2", "image_encoder"])
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    pipeline = Prepared(**parts, transformer=model, scheduler=scheduler, feature_extractor=None)
    pipeline.vae = SimpleNamespace(dtype=torch.float32)  # it is asked for its type, and decodes nothing
    pipeline.set_progress_bar_config(disable=True)
    black, white = torch.zeros(1, 3, height, width), torch.ones(1, 3, height, width)
    window_frames = (loop.window - 1) * 4 + 1
    latents = pipeline(
        image=black,
        last_image=white if loop.end_mode else None,
        height=height,
        width=width,
        num_frames=loop.sections * window_frames,
        latent_window_size=loop.window,
        num_inference_steps=loop.steps,
        guidance_scale=10.0,
        prompt_embeds=inputs["encoder_hidden_states"],
        prompt_attention_mask=inputs["encoder_attention_mask"],
        pooled_prompt_embeds=inputs["pooled_projections"],
        output_type="latent",
        sampling_type="inverted_anti_drifting" if loop.order == "backward" else "vanilla",
    ).frames
    return latents[-1]
