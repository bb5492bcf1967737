"""The whole path from photo and prompt to frames, on one bundle, as `demo_gradio.py` strings it together.

Two choices differ on purpose: the start latent is the posterior's mean (the original samples it from an
unseeded generator), and everything runs in f32 (the original mixes f16 and bf16).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from transformers import SiglipImageProcessorPil

import images
import packed
import sampler
import sections
import text
from cases_encoders import third_from_last
from cases_vae import decode, encode
from sampler import Guidance
from store import Tensors

TEXT_TOKENS = 512


@dataclass
class Bundle:
    """Models in memory and the folder where they and their tokenizers were saved."""

    directory: Path
    transformer: nn.Module
    vae: nn.Module
    llama: nn.Module
    clip: nn.Module
    siglip: nn.Module

    def encode_prompt(self, prompt: str) -> Tensors:
        """The prompt's own hidden states padded with zeros, their mask, and CLIP's pooled vector."""
        ids = torch.tensor([text.llama_ids(self.directory / "tokenizer", prompt)])
        prefix = text.llama_prefix(self.directory / "tokenizer")
        hidden = third_from_last(self.llama, ids, torch.ones_like(ids))[:, prefix:]
        padded = torch.zeros(1, TEXT_TOKENS, hidden.shape[2])
        padded[:, : hidden.shape[1]] = hidden
        clip_ids = torch.tensor([text.SlowClip(self.directory / "tokenizer_2").ids(prompt)])
        with torch.no_grad():
            pooled = self.clip(input_ids=clip_ids).pooler_output
        return {
            "encoder_hidden_states": padded,
            "encoder_attention_mask": torch.arange(TEXT_TOKENS)[None] < hidden.shape[1],
            "pooled_projections": pooled,
        }

    def encode_image(self, image: Image.Image, resolution: int) -> Tensors:
        """Start latent in the sampler's scale, and SigLIP's tokens of the same cropped image."""
        cropped = images.preprocess(image, resolution)
        start = encode(self.vae, images.to_pixels(cropped))["mean"] * self.vae.config.scaling_factor
        with torch.no_grad():
            hidden = self.siglip(pixel_values=siglip_pixels(self.directory / "feature_extractor", cropped))
        return {"start_latent": start, "image_embeddings": hidden.last_hidden_state}


def siglip_pixels(feature_extractor: Path, image: Image.Image) -> torch.Tensor:
    processor = SiglipImageProcessorPil.from_pretrained(str(feature_extractor))
    pixels = processor(images=np.array(image), return_tensors="np").pixel_values
    return torch.from_numpy(np.ascontiguousarray(pixels)).float()


@dataclass(frozen=True)
class Settings:
    """What one video is made with, beside its conditioning."""

    order: str
    sections: int
    seed: int
    steps: int
    guidance: Guidance
    window: int = 9


def generate(
    transformer: nn.Module,
    vae: nn.Module,
    settings: Settings,
    start: torch.Tensor,
    positive: Tensors,
    negative: Tensors,
) -> sections.Video:
    """All sections from one seeded CPU generator. `negative` is only looked at when cfg is not 1."""
    generator = torch.Generator("cpu").manual_seed(settings.seed)
    height, width = start.shape[3:]
    schedule = sampler.sigmas(settings.steps, sampler.flow_shift(settings.window * height * width // 4))

    def sample(section: sections.Section, clean: torch.Tensor, two: torch.Tensor, four: torch.Tensor) -> torch.Tensor:
        context = {
            "latent_indices": torch.tensor([section.latent]),
            "clean_latents": clean,
            "clean_latent_indices": torch.tensor([section.clean]),
            "clean_latents_2x": two,
            "clean_latent_2x_indices": torch.tensor([section.clean_2x]),
            "clean_latents_4x": four,
            "clean_latent_4x_indices": torch.tensor([section.clean_4x]),
        }

        def velocity(x: torch.Tensor, timestep: torch.Tensor, scale: torch.Tensor, is_positive: bool) -> torch.Tensor:
            call = {"hidden_states": x, "timestep": timestep, "guidance": scale, **context}
            return packed.velocity(transformer, call | (positive if is_positive else positive | negative))

        noise = torch.randn((1, 16, settings.window, height, width), generator=generator)
        return sampler.unipc(sampler.Denoiser(velocity, settings.guidance), noise, schedule)

    def to_frames(latents: torch.Tensor) -> torch.Tensor:
        return decode(vae, latents / vae.config.scaling_factor)["sample"]

    run = sections.run_backward if settings.order == "backward" else sections.run_forward
    return run(start, settings.sections, settings.window, sample, to_frames)
