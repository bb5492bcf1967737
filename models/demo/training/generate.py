"""Both section loops of FramePack around the modules, for batches of clips whose prompts have one token length."""

import torch

from networks import SCALING_FACTOR, packed_forward
from packing import (HISTORY, WINDOW, backward_history, backward_section, forward_history, forward_section, paddings)
from pool import encode_start, vision_input
from sampler import schedule, unipc, x0_model

GUIDANCE = 9984.0  # bf16(10 * 1000)
OVERLAP = 4 * WINDOW - 3


def soft_append(a, b, overlap):
    """Concatenates in time with a linear cross-fade over `overlap` frames."""
    w = torch.linspace(1, 0, overlap, device=a.device)[None, None, :, None, None]
    blended = w * a[:, :, -overlap:] + (1 - w) * b[:, :, :overlap]
    return torch.cat([a[:, :, :-overlap], blended, b[:, :, overlap:]], 2)


class Generator:
    """Start images and prompts to clips."""

    def __init__(self, model, vae, prompts, steps):
        self.model, self.vae, self.prompts, self.steps = model, vae, prompts, steps
        self.device = vae.quant_conv.weight.device
        self.dtype = model.transformer.proj_out.weight.dtype

    @torch.no_grad()
    def __call__(self, images, texts, count, forward_order, seed, ends=None, blank=False):
        """Clips [B, 3, 36 count + 1, H, W] in [-1, 1] from images [B, 3, H, W].

        `texts` holds for each section, in time order, one prompt for each image, all of one token length; `ends` end
        pictures for the backward order. A `blank` start is no picture: forward, it is not part of what came before.
        """
        conditions = [self._condition(images, t) for t in texts]
        start = encode_start(self.vae, images)
        generator = torch.Generator().manual_seed(seed)
        if forward_order:
            return self._forward(start, conditions, count, generator, blank)
        return self._backward(start, conditions, count, generator, None if ends is None else encode_start(self.vae, ends))

    def _condition(self, images, texts):
        llama = torch.tensor([self.prompts.llama_ids(t) for t in texts], device=self.device)
        clip = [self.prompts.clip_ids(t) for t in texts]
        longest = max(len(c) for c in clip)
        clip = torch.tensor([c + [c[-1]] * (longest - len(c)) for c in clip], device=self.device)
        m = self.model
        return (m.encode_text(llama, self.prompts.prefix), m.encode_pooled(clip),
                m.encode_image(vision_input(images).to(self.dtype)))

    def _sample(self, start, section, views, condition, generator):
        text, pooled, image = condition
        views = [v.to(self.dtype) for v in views]
        b, c, _, h, w = start.shape
        noise = torch.randn(b, c, WINDOW, h, w, generator=generator).to(self.device)
        guidance = torch.full((b,), GUIDANCE, device=self.device)

        def velocity(x, timestep):
            return packed_forward(self.model.transformer, x.to(self.dtype), timestep, text, pooled, guidance, image, section, *views)

        return unipc(x0_model(velocity), noise, schedule(self.steps, WINDOW * h * w // 4, self.device))

    def decode(self, latents):
        dtype = self.vae.quant_conv.weight.dtype
        parts = [self.vae.decode((z / SCALING_FACTOR).to(dtype)).sample.float() for z in latents.split(8)]
        return torch.cat(parts)

    def _backward(self, start, conditions, count, generator, end):
        history = torch.zeros(*start.shape[:2], HISTORY, *start.shape[3:], device=self.device)
        if end is not None:
            history[:, :, :1] = end
        total, pixels = 0, None
        for i, padding in enumerate(paddings(count)):
            views = backward_history(start, history)
            latents = self._sample(start, backward_section(padding, self.device), views, conditions[count - 1 - i], generator)
            if padding == 0:
                latents = torch.cat([start, latents], 2)
            total += latents.shape[2]
            history = torch.cat([latents, history], 2)
            real = history[:, :, :total]
            if pixels is None:
                pixels = self.decode(real)
            else:
                size = 2 * WINDOW + (padding == 0)
                pixels = soft_append(self.decode(real[:, :, :size]), pixels, OVERLAP)
        return pixels

    def _forward(self, start, conditions, count, generator, blank):
        zeros = torch.zeros(*start.shape[:2], HISTORY, *start.shape[3:], device=self.device)
        history, pixels = torch.cat([zeros, torch.zeros_like(start) if blank else start], 2), None
        for i in range(count):
            latents = self._sample(start, forward_section(self.device), forward_history(start, history), conditions[i], generator)
            history = torch.cat([history, latents], 2)
            if pixels is None:
                pixels = self.decode(torch.cat([start, latents], 2))
            else:
                pixels = soft_append(pixels, self.decode(history[:, :, -2 * WINDOW:]), OVERLAP)
        return pixels
