"""What a training sample shows the transformer: a random section of a clip, with the history it would have at inference.

Backward clips end after a random number of sections; behind their end is nothing, or the end picture alone in the nearest
slot (FramePack-Studio's and diffusers' end frames). Some clips start from a blank picture or from noise.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from packing import HISTORY, WINDOW, Section, backward_history, backward_section, forward_history, forward_section
from pool import SECTIONS
from scenes import BLANKS

FORWARD = 0.4  # share of the forward order
ENDS = 0.3  # share of backward samples that have an end picture


@dataclass
class Sample:
    """Inputs and target of one batch."""
    target: torch.Tensor
    section: Section
    views: tuple  # clean, 2x and 4x latents
    images: torch.Tensor


def draw(rng):
    """(forward order?, section counted from the clip's start)."""
    if rng.random() < FORWARD:
        return True, rng.randrange(SECTIONS)
    return False, rng.choices(range(SECTIONS), [3, 3, 2, 2])[0]


def backward_future(clips, padding):
    """The 19 latents behind the window, nearest first; what lies behind the clip's end is empty but for an end picture."""
    latents, device = clips.latents, clips.latents.device
    batch = latents.shape[0]
    future = latents[:, :, 1 + (padding + 1) * WINDOW:][:, :, :HISTORY]
    history = torch.zeros(*latents.shape[:2], HISTORY, *latents.shape[3:], device=device)
    history[:, :, :future.shape[2]] = future
    count = torch.randint(padding + 1, SECTIONS + 1, (batch,), device=device)
    count = torch.where(clips.changes, SECTIONS, count)
    real = WINDOW * (count - 1 - padding)
    slot = torch.arange(HISTORY, device=device)
    history = history * (slot[None] < real[:, None])[:, None, :, None, None]
    # A clip that changes says nothing of its first prompt here: only its end picture tells where things are.
    ended = (torch.rand(batch, device=device) < ENDS) | (clips.changes & (real == 0))
    kept = ended & ((real == 0) | (torch.rand(batch, device=device) < 0.5))  # diffusers forgets it after the first section
    end = clips.ends[torch.arange(batch, device=device), :, count - 1]
    strength = torch.where(torch.rand(batch, device=device) < 0.85, 1.0, torch.rand(batch, device=device).clamp_min(0.3))
    mark = (slot[None] == real[:, None]) & kept[:, None]
    return roughen(history) + mark[:, None, :, None, None] * (strength[:, None, None, None] * end)[:, :, None]


def forward_past(clips, index):
    """The 19 latest latents before section `index`; blank starts are not part of them."""
    latents = clips.latents
    done = 1 + index * WINDOW
    history = torch.zeros(*latents.shape[:2], HISTORY, *latents.shape[3:], device=latents.device)
    past = latents[:, :, max(0, done - HISTORY):done]
    if index:
        past = roughen(past)
    history[:, :, HISTORY - past.shape[2]:] = past
    if done <= HISTORY:
        history[:, :, HISTORY - done] *= (clips.blanks < 0)[:, None, None, None]
    return history


def roughen(history):
    """Noise, and in some samples blur, on the history, since at inference it is the model's own output.

    Little of both: a model that takes its history for damaged repairs it, which shows as a jump where a section begins.
    Empty frames stay empty.
    """
    batch, device = history.shape[0], history.device
    if not history.shape[2]:
        return history
    amount = torch.rand(batch, 1, 1, 1, 1, device=device)
    soft = F.avg_pool3d(F.pad(history, (1, 1, 1, 1, 0, 0), mode="replicate"), (1, 3, 3), 1)
    blurred = history + 0.2 * (amount - 0.85).clamp_min(0) / 0.15 * (soft - history)
    size = 0.1 * torch.rand(batch, 1, 1, 1, 1, device=device)
    filled = history.flatten(3).abs().sum((1, 3)) > 0
    return torch.where(filled[:, None, :, None, None], blurred + size * torch.randn_like(history), history)


def _blanked(start, images, kind, pool):
    """Start latents and images with blank ones: black, white, green, or noise with a black picture."""
    last = len(BLANKS) - 1
    flat = pool.blank_latents[kind.clamp(0, last)]
    latents = torch.where((kind > last)[:, None, None, None, None], torch.randn_like(start), flat)
    pictures = pool.blank_images[torch.where(kind > last, 0, kind.clamp_min(0))].to(images.dtype)
    mask = (kind >= 0)[:, None, None, None]
    return torch.where(mask[..., None], latents, start), torch.where(mask, pictures, images)


def sample(forward, index, clips, pool):
    """One section of every clip of the batch."""
    start, images = _blanked(clips.latents[:, :, :1], clips.images, clips.blanks, pool)
    first = 1 + index * WINDOW
    target = clips.latents[:, :, first:first + WINDOW]
    if forward:
        return Sample(target, forward_section(target.device), forward_history(start, forward_past(clips, index)), images)
    return Sample(target, backward_section(index, target.device), backward_history(start, backward_future(clips, index)), images)
