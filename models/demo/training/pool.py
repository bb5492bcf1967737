"""An ever-renewed pool of encoded clips: rendered, encoded and captioned on the fly."""

import random

import torch
import torch.nn.functional as F

from captions import caption
from networks import IMAGE_SIZE, SCALING_FACTOR
from render import clip_times, render
from scenes import sample_scene

SECTIONS = 4
CLIP_LATENTS = 9 * SECTIONS + 1
CLIP_FRAMES = 36 * SECTIONS + 1
PARAPHRASES = 6


def vision_input(frames):
    """SigLIP's pixels from first frames [B, 3, H, W] in [-1, 1]: squashed bicubically to the model's size."""
    small = F.interpolate(frames.float(), (IMAGE_SIZE, IMAGE_SIZE), mode="bicubic", antialias=True)
    return small.clamp(-1, 1)


@torch.no_grad()
def encode_start(vae, frames):
    """Scaled posterior mean of single frames [B, 3, H, W] -> [B, 16, 1, h, w]."""
    dtype = vae.quant_conv.weight.dtype
    return vae.quant_conv(vae.encoder(frames[:, :, None].to(dtype)))[:, :16].float() * SCALING_FACTOR


@torch.no_grad()
def encode_clips(vae, x, chunk=36):
    """Scaled latents [B, 16, 1 + 4n, h, w] of clips with 1 + 16n frames: the start alone, then 17-frame tiles of four latents."""
    dtype = vae.quant_conv.weight.dtype
    tiles = torch.stack([x[:, :, i:i + 17] for i in range(0, x.shape[2] - 16, 16)], 1).flatten(0, 1).to(dtype)
    parts = [vae.quant_conv(vae.encoder(t))[:, :16, 1:] for t in tiles.split(chunk)]
    latents = torch.cat(parts).unflatten(0, (x.shape[0], -1)).permute(0, 2, 1, 3, 4, 5).flatten(2, 3).float() * SCALING_FACTOR
    return torch.cat([encode_start(vae, x[:, :, 0]), latents], 2)


class Pool:
    """Clips of one bucket in GPU memory, indexed by caption length so that batches need no padding."""

    def __init__(self, bucket, capacity, prompts, vae, device, seed):
        h, w = bucket[0] // 8, bucket[1] // 8
        self.bucket, self.capacity, self.prompts, self.vae, self.device = bucket, capacity, prompts, vae, device
        self.latents = torch.zeros(capacity, 16, CLIP_LATENTS, h, w, dtype=torch.bfloat16, device=device)
        self.images = torch.zeros(capacity, 3, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.bfloat16, device=device)
        self.texts = [None] * capacity
        self.made, self.rng = 0, random.Random(seed)
        self.by_length = {}

    def add(self, count):
        """Renders and encodes `count` new clips; the oldest make room."""
        scenes = [sample_scene(self.rng, self.bucket) for _ in range(count)]
        x = render(scenes, clip_times(count, CLIP_FRAMES, self.device), self.device)
        slots = [(self.made + i) % self.capacity for i in range(count)]
        self.latents[slots] = encode_clips(self.vae, x).to(torch.bfloat16)
        self.images[slots] = vision_input(x[:, :, 0]).to(torch.bfloat16)
        for slot, scene in zip(slots, scenes):
            self.texts[slot] = [self._tokenise(caption(self.rng, scene)) for _ in range(PARAPHRASES)]
        self.made += count
        self.by_length = {}
        for slot in range(min(self.made, self.capacity)):
            for choice, (llama, _) in enumerate(self.texts[slot]):
                self.by_length.setdefault(len(llama), []).append((slot, choice))

    def _tokenise(self, text):
        return self.prompts.llama_ids(text), self.prompts.clip_ids(text)

    def batch(self, size, empty=False):
        """Latents, images and token ids of `size` clips whose captions have one length."""
        filled = min(self.made, self.capacity)
        if empty:
            slots = [self.rng.randrange(filled) for _ in range(size)]
            texts = [self._tokenise("")] * size
        else:
            anchor = self.texts[self.rng.randrange(filled)][self.rng.randrange(PARAPHRASES)]
            picks = self.rng.choices(self.by_length[len(anchor[0])], k=size)
            slots, texts = [p[0] for p in picks], [self.texts[s][c] for s, c in picks]
        longest = max(len(t[1]) for t in texts)
        llama = torch.tensor([t[0] for t in texts], device=self.device)
        clip = torch.tensor([t[1] + [t[1][-1]] * (longest - len(t[1])) for t in texts], device=self.device)
        index = torch.tensor(slots, device=self.device)
        return self.latents[index].float(), self.images[index], llama, clip
