"""Histories of the model's own: at inference a section goes on from what the model made, with the model's faults.

The neighbouring section is noised and sampled anew in few steps. So much of the truth is left in it that the section after
it can still be the truth; sampled from pure noise, it would often show things elsewhere, and the next one would jump.
"""

import dataclasses

import torch

from networks import packed_forward
from packing import WINDOW
from pool import SECTIONS
from sections import sample

STEPS = 3
LEAST, MOST = 0.6, 0.95  # noise from which the neighbour is sampled
GUIDANCE = 9984.0  # bf16(10 * 1000), as at inference


def neighbour(forward, index):
    """The section that a section goes on from, or None where it is the first that is made."""
    made_before = index - 1 if forward else index + 1
    return made_before if 0 <= made_before < SECTIONS else None


@torch.no_grad()
def resampled(model, prefix, clips, shown):
    """The shown section's latents as the model makes them of their noised selves."""
    x0, dtype = shown.target, model.transformer.proj_out.weight.dtype
    batch, device = x0.shape[0], x0.device
    condition = model.encode_text(clips.llama_ids, prefix), model.encode_pooled(clips.clip_ids)
    image, views = model.encode_image(shown.images.to(dtype)), [view.to(dtype) for view in shown.views]
    guidance = torch.full((batch,), GUIDANCE, device=device)
    first = (LEAST + (MOST - LEAST) * torch.rand(batch, device=device)).to(torch.bfloat16).float()
    sigma = first[:, None, None, None, None]
    x = (1 - sigma) * x0 + sigma * torch.randn_like(x0)
    for step in range(STEPS):
        left = first * (1 - step / STEPS)
        v = packed_forward(model.transformer, x.to(dtype), (left * 1000).to(torch.bfloat16).float(), *condition, guidance, image,
                           shown.section, *views).float()
        x = x - sigma / STEPS * v
    return x


def with_own_history(model, prefix, forward, index, clips, pool):
    """The clips with the section that section `index` goes on from as the model makes it; where the prompt changes, as it is."""
    other = neighbour(forward, index)
    if other is None:
        return clips
    made = resampled(model, prefix, clips, sample(forward, other, clips, pool))
    window = slice(1 + other * WINDOW, 1 + (other + 1) * WINDOW)
    latents = clips.latents.clone()
    latents[:, :, window] = torch.where(clips.changes[:, None, None, None, None], latents[:, :, window], made)
    return dataclasses.replace(clips, latents=latents)
