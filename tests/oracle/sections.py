"""FramePack's two section loops: backward (the end of the video first) and forward (F1).

Everything about which latents a section sees is an integer range; the loops below only cut, sample and
join. `plan` gives the ranges alone, for every length, without a model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

Sample = Callable[["Section", torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
Decode = Callable[[torch.Tensor], torch.Tensor]

HISTORY = (1, 2, 16)  # latent frames kept at full, half and quarter resolution


@dataclass(frozen=True)
class Section:
    """Frame indices of the noise and of the three context groups, in the model's own numbering."""

    padding: int
    is_last: bool
    latent: list[int]
    clean: list[int]
    clean_2x: list[int]
    clean_4x: list[int]


def section_count(seconds: float, window: int) -> int:
    """Sections for a length at 30 frames per second; Python rounds halves to even."""
    return max(round(seconds * 30 / (window * 4)), 1)


def paddings(sections: int) -> list[int]:
    """How many windows lie between a section and the start image. Long videos keep the distance short."""
    if sections > 4:
        return [3] + [2] * (sections - 3) + [1, 0]
    return list(range(sections - 1, -1, -1))


def plan_backward(sections: int, window: int) -> list[Section]:
    plan = []
    for padding in paddings(sections):
        start, latent, post, two, four = _ranges([1, padding * window, window, 1, 2, 16], skip=1)
        plan.append(Section(padding, padding == 0, latent, start + post, two, four))
    return plan


def plan_forward(sections: int, window: int) -> list[Section]:
    start, four, two, one, latent = _ranges([1, 16, 2, 1, window])
    return [Section(0, i == sections - 1, latent, start + one, two, four) for i in range(sections)]


def _ranges(sizes: list[int], skip: int | None = None) -> list[list[int]]:
    """Consecutive ranges of the given sizes, without the one at `skip`."""
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [list(range(a, a + n)) for i, (a, n) in enumerate(zip(starts, sizes)) if i != skip]


@dataclass
class Guides:
    """What leads a video beside its start latent.

    FramePack-Studio puts the end latent at the front of the history before the first section (`history`), where later
    sections still see it; diffusers gives it to the first section alone. eichi's keyframes stand in for the start
    latent in single sections.
    """

    end: torch.Tensor | None = None
    end_mode: str = "history"
    keyframes: dict[int, torch.Tensor] = field(default_factory=dict)


@dataclass
class Video:
    """What a loop leaves: each section's new latents, all latents in order, and the frames."""

    generated: list[torch.Tensor]
    latents: torch.Tensor
    pixels: torch.Tensor | None


def run_backward(
    start: torch.Tensor, sections: int, window: int, sample: Sample, decode: Decode | None, guides: Guides | None = None
) -> Video:
    """`demo_gradio.py`: new latents go in front; the start image's latent closes the last section."""
    guides = guides or Guides()
    history = torch.zeros_like(start).repeat(1, 1, sum(HISTORY), 1, 1)
    if guides.end is not None and guides.end_mode == "history":
        history[:, :, 0:1] = guides.end
    generated, pixels, total = [], None, 0
    for number, section in enumerate(plan_backward(sections, window)):
        post, two, four = history[:, :, : sum(HISTORY)].split(list(HISTORY), dim=2)
        if guides.end is not None and guides.end_mode == "first_section" and number == 0:
            post = guides.end
        pre = guides.keyframes.get(number, start)
        latents = sample(section, torch.cat([pre, post], dim=2), two, four)
        if section.is_last:
            latents = torch.cat([start, latents], dim=2)
        generated.append(latents)
        total += latents.shape[2]
        history = torch.cat([latents, history], dim=2)
        fresh = 2 * window + int(section.is_last)
        pixels = _extend(pixels, history[:, :, :total], slice(0, fresh), decode, window, prepend=True)
    return Video(generated, history[:, :, :total], pixels)


def run_forward(
    start: torch.Tensor, sections: int, window: int, sample: Sample, decode: Decode | None, guides: Guides | None = None
) -> Video:
    """`demo_gradio_f1.py`: new latents go behind, and every section has the same indices."""
    guides = guides or Guides()
    history = torch.cat([torch.zeros_like(start).repeat(1, 1, sum(HISTORY), 1, 1), start], dim=2)
    generated, pixels, total = [], None, 1
    for number, section in enumerate(plan_forward(sections, window)):
        four, two, one = history[:, :, -sum(HISTORY) :].split(list(reversed(HISTORY)), dim=2)
        pre = guides.keyframes.get(number, start)
        latents = sample(section, torch.cat([pre, one], dim=2), two, four)
        generated.append(latents)
        total += latents.shape[2]
        history = torch.cat([history, latents], dim=2)
        pixels = _extend(pixels, history[:, :, -total:], slice(-2 * window, None), decode, window, prepend=False)
    return Video(generated, history[:, :, -total:], pixels)


def _extend(
    pixels: torch.Tensor | None, latents: torch.Tensor, fresh: slice, decode: Decode | None, window: int, prepend: bool
) -> torch.Tensor | None:
    if decode is None:
        return None
    if pixels is None:
        return decode(latents)
    new = decode(latents[:, :, fresh])
    overlap = 4 * window - 3
    return soft_append(new, pixels, overlap) if prepend else soft_append(pixels, new, overlap)


def soft_append(head: torch.Tensor, tail: torch.Tensor, overlap: int) -> torch.Tensor:
    """Join two clips whose last and first `overlap` frames show the same time, fading linearly."""
    if overlap <= 0:
        return torch.cat([head, tail], dim=2)
    weights = torch.linspace(1, 0, overlap, dtype=head.dtype).reshape(1, 1, -1, 1, 1)
    blended = weights * head[:, :, -overlap:] + (1 - weights) * tail[:, :, :overlap]
    return torch.cat([head[:, :, :-overlap], blended, tail[:, :, overlap:]], dim=2).to(head)


def to_u8(pixels: torch.Tensor) -> torch.Tensor:
    """[-1, 1] to bytes, truncating like the original."""
    return (pixels.float().clamp(-1.0, 1.0) * 127.5 + 127.5).to(torch.uint8)


# RGB of a latent channel: the linear preview of HunyuanVideo's latent space.
PREVIEW_FACTORS = torch.tensor(
    [
        [-0.0395, -0.0331, 0.0445],
        [0.0696, 0.0795, 0.0518],
        [0.0135, -0.0945, -0.0282],
        [0.0108, -0.0250, -0.0765],
        [-0.0209, 0.0032, 0.0224],
        [-0.0804, -0.0254, -0.0639],
        [-0.0991, 0.0271, -0.0669],
        [-0.0646, -0.0422, -0.0400],
        [-0.0696, -0.0595, -0.0894],
        [-0.0799, -0.0208, -0.0375],
        [0.1166, 0.1627, 0.0962],
        [0.1165, 0.0432, 0.0407],
        [-0.2315, -0.1920, -0.1355],
        [-0.0270, 0.0401, -0.0821],
        [-0.0616, -0.0997, -0.0727],
        [0.0249, -0.0469, -0.1703],
    ]
)
PREVIEW_BIAS = torch.tensor([0.0259, -0.0192, -0.0761])


def preview(latents: torch.Tensor) -> torch.Tensor:
    """Latents [1,16,T,H,W] to RGB bytes [T,H,W,3], one pixel per latent."""
    rgb = torch.einsum("bcthw,cr->bthwr", latents, PREVIEW_FACTORS) + PREVIEW_BIAS
    return (rgb.clamp(0, 1) * 255).clamp(0, 255).to(torch.uint8)[0]
