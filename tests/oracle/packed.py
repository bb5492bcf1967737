"""Velocity of the packed transformer, by the argument names of FramePack's own class.

diffusers' class runs every case that has all three context groups. It cannot run without one of them,
which FramePack's can; `_assemble` fills that gap with diffusers' own modules, and is checked against
the class wherever both run.
"""

from __future__ import annotations

import torch
from diffusers.models.embeddings import get_1d_rotary_pos_embed
from torch import nn

import arguments
from store import Tensors

GROUPS = {"clean_latents": 1, "clean_latents_2x": 2, "clean_latents_4x": 4}


@torch.no_grad()
def velocity(model: nn.Module, inputs: Tensors, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """[1,16,T,H,W]; everything but timestep and guidance is computed in `dtype`."""
    cast = arguments.cast(inputs, dtype)
    if not all(name in inputs for name in GROUPS):
        return _assemble(model, cast)
    sample = _diffusers(model, cast)
    if dtype == torch.float32:
        torch.testing.assert_close(_assemble(model, cast), sample, atol=1e-5, rtol=1e-5)
    return sample


def _diffusers(model: nn.Module, inputs: Tensors) -> torch.Tensor:
    return model(**arguments.renamed(inputs)).sample


def _assemble(model: nn.Module, inputs: Tensors) -> torch.Tensor:
    latents = inputs["hidden_states"]
    batch, _, frames, height, width = latents.shape
    grid = (height // 2, width // 2)
    config = model.config

    tokens = [model.x_embedder(latents)]
    tables = [_rotary(inputs["latent_indices"], *grid, config.rope_axes_dim, config.rope_theta, 1)]
    embedded = model.clean_x_embedder(*(inputs.get(name) for name in GROUPS))
    for (name, kernel), group in zip(GROUPS.items(), embedded):
        if group is not None:
            indices = inputs[name.replace("latents", "latent") + "_indices"]
            tokens.insert(0, group)
            tables.insert(0, _rotary(indices, *grid, config.rope_axes_dim, config.rope_theta, kernel))
    x = torch.cat(tokens, dim=1)
    rope = tuple(torch.cat([table[i] for table in tables]) for i in (0, 1))

    mask = inputs["encoder_attention_mask"]
    temb, _ = model.time_text_embed(inputs["timestep"], inputs["pooled_projections"], inputs["guidance"])
    text = model.context_embedder(inputs["encoder_hidden_states"], inputs["timestep"], mask)
    # Valid text tokens come first, so cutting replaces masking.
    context = torch.cat([model.image_projection(inputs["image_embeddings"]), text[:, : int(mask.sum())]], dim=1)
    for block in [*model.transformer_blocks, *model.single_transformer_blocks]:
        x, context = block(x, context, temb, None, rope)

    x = model.proj_out(model.norm_out(x[:, -frames * grid[0] * grid[1] :], temb))
    x = x.reshape(batch, frames, *grid, -1, 1, 2, 2).permute(0, 4, 1, 5, 2, 6, 3, 7)
    return x.reshape(batch, -1, frames, height, width)


def _rotary(
    frames: torch.Tensor, height: int, width: int, axes: tuple[int, ...], theta: float, kernel: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """cos and sin [tokens, head_dim]; context groups average the tables over kernel^3 blocks of tokens."""
    grid = torch.meshgrid(frames.float(), torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
    parts = [get_1d_rotary_pos_embed(d, g.reshape(-1), theta, use_real=True) for d, g in zip(axes, grid)]
    tables = []
    for values in (torch.cat([p[0] for p in parts], dim=1), torch.cat([p[1] for p in parts], dim=1)):
        volume = values.T.reshape(1, -1, len(frames), height, width)
        pad = [(-size) % kernel for size in (width, height, len(frames))]
        volume = torch.nn.functional.pad(volume, (0, pad[0], 0, pad[1], 0, pad[2]), mode="replicate")
        volume = torch.nn.functional.avg_pool3d(volume, kernel, kernel)
        tables.append(volume.flatten(2)[0].T)
    return tables[0], tables[1]
