"""FramePack's section rules: which latent indices a section denoises and which history it sees.

Written from lllyasviel/FramePack `demo_gradio.py` (backward) and `demo_gradio_f1.py` (forward).
"""

import functools
from dataclasses import dataclass

import torch

WINDOW = 9
HISTORY = 19  # 1 + 2 + 16 latents


@dataclass
class Section:
    """Frame indices of the four token groups."""
    latents: torch.Tensor
    clean: torch.Tensor
    clean_2x: torch.Tensor
    clean_4x: torch.Tensor

    def to(self, device):
        return Section(*(v.to(device) for v in (self.latents, self.clean, self.clean_2x, self.clean_4x)))


def paddings(count):
    """Section paddings of the backward order, in the order of generation."""
    if count > 4:
        return [3] + [2] * (count - 3) + [1, 0]
    return list(range(count - 1, -1, -1))


@functools.cache
def backward_section(padding, device="cpu"):
    """[start | blank | window | 1x | 2x | 4x], the future behind the window."""
    i = torch.arange(1 + padding * WINDOW + WINDOW + HISTORY)
    pre, _, latents, post, x2, x4 = i.split([1, padding * WINDOW, WINDOW, 1, 2, 16])
    return Section(latents, torch.cat([pre, post]), x2, x4).to(device)


@functools.cache
def forward_section(device="cpu"):
    """[start | 4x | 2x | 1x | window], the past before the window."""
    start, x4, x2, x1, latents = torch.arange(1 + HISTORY + WINDOW).split([1, 16, 2, 1, WINDOW])
    return Section(latents, torch.cat([start, x1]), x2, x4).to(device)


def backward_history(start, history):
    """Clean, 2x and 4x latents from the 19 nearest future latents (nearest first)."""
    post, x2, x4 = history[:, :, :HISTORY].split([1, 2, 16], dim=2)
    return torch.cat([start, post], 2), x2, x4


def forward_history(start, history):
    """Clean, 2x and 4x latents from the 19 latest latents."""
    x4, x2, x1 = history[:, :, -HISTORY:].split([16, 2, 1], dim=2)
    return torch.cat([start, x1], 2), x2, x4
