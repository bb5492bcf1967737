"""Arguments of the packed transformer: from a file with FramePack's names to a call of diffusers' class."""

from __future__ import annotations

import torch

# FramePack's names to diffusers'; all others are the same.
DIFFUSERS_NAMES = {
    "latent_indices": "indices_latents",
    "clean_latents": "latents_clean",
    "clean_latent_indices": "indices_latents_clean",
    "clean_latents_2x": "latents_history_2x",
    "clean_latent_2x_indices": "indices_latents_history_2x",
    "clean_latents_4x": "latents_history_4x",
    "clean_latent_4x_indices": "indices_latents_history_4x",
    "image_embeddings": "image_embeds",
}


def cast(inputs: dict[str, torch.Tensor], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Everything but timestep and guidance in `dtype`; indices lose their batch axis."""
    return {name: _cast(name, value, dtype) for name, value in inputs.items()}


def renamed(inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {DIFFUSERS_NAMES.get(name, name): value for name, value in inputs.items()}


def _cast(name: str, value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    if name.endswith("indices"):
        return value[0]
    if name in ("timestep", "guidance"):
        return value.float()
    if name == "encoder_attention_mask":
        return (value != 0).to(dtype)
    return value.to(dtype)
