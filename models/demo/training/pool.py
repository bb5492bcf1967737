"""An ever-renewed pool of encoded clips: rendered, encoded and captioned on the fly."""

import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from aside import aside, handed, sent
from captions import caption
from lessons import lesson
from networks import IMAGE_SIZE, SCALING_FACTOR
from render import FPS, clip_times, render
from scenes import BLANKS, NEVER

SECTIONS = 4
SECTION_FRAMES = 36
CLIP_LATENTS = 9 * SECTIONS + 1
CLIP_FRAMES = SECTION_FRAMES * SECTIONS + 1
PARAPHRASES = 6


@dataclass
class Batch:
    """Clips whose captions for one section have one length."""
    latents: torch.Tensor  # [B, 16, 37, h, w]
    ends: torch.Tensor  # [B, 16, 4, h, w], the last frame of each section encoded alone
    images: torch.Tensor  # what SigLIP sees of the first frame
    changes: torch.Tensor  # [B], whether the motions change somewhere
    blanks: torch.Tensor  # [B], number of the blank picture that the clip starts with, or -1
    llama_ids: torch.Tensor
    clip_ids: torch.Tensor


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


def blank_frames(bucket, device):
    """Black, white and green pictures [3, 3, H, W] in [-1, 1]."""
    colors = torch.tensor(BLANKS, device=device, dtype=torch.float32) / 127.5 - 1
    return colors[:, :, None, None].expand(-1, -1, *bucket)


class Pool:
    """Clips of one bucket in GPU memory, indexed by caption length so that batches need no padding."""

    def __init__(self, bucket, capacity, prompts, vae, device, seed):
        h, w = bucket[0] // 8, bucket[1] // 8
        self.bucket, self.capacity, self.prompts, self.vae, self.device = bucket, capacity, prompts, vae, device
        self.latents = torch.zeros(capacity, 16, CLIP_LATENTS, h, w, dtype=torch.bfloat16, device=device)
        self.ends = torch.zeros(capacity, 16, SECTIONS, h, w, dtype=torch.bfloat16, device=device)
        self.images = torch.zeros(capacity, 3, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.bfloat16, device=device)
        self.changes = torch.zeros(capacity, dtype=torch.bool, device=device)
        self.blanks = torch.full((capacity,), -1, device=device)
        self.texts = [None] * capacity  # of each section: its paraphrases as token ids
        blanks = blank_frames(bucket, device)
        self.blank_latents, self.blank_images = encode_start(vae, blanks), vision_input(blanks)
        self.made, self.rng = 0, random.Random(seed)

    def add(self, count):
        """Renders and encodes `count` new clips; the oldest make room."""
        with aside(self.device):
            scenes, latents, ends, images = self._make(count)
        slot = self.made % self.capacity
        fits = slice(slot, min(slot + count, self.capacity))
        room = fits.stop - slot
        self.latents[fits], self.ends[fits], self.images[fits] = (handed(t)[:room] for t in (latents, ends, images))
        self.changes[fits] = sent([s.switch < NEVER for s in scenes[:room]], self.device)
        self.blanks[fits] = sent([s.blank for s in scenes[:room]], self.device)
        for i, scene in enumerate(scenes[:room]):
            self.texts[slot + i] = self._section_texts(scene)
        self.made += room
        self._index()

    def _make(self, count):
        """Scenes, their latents, ends and images."""
        scenes = [lesson(self.rng, self.bucket, SECTION_FRAMES / FPS) for _ in range(count)]
        x = render(scenes, clip_times(count, CLIP_FRAMES, self.device), self.device)
        last = x[:, :, SECTION_FRAMES::SECTION_FRAMES]
        ends = encode_start(self.vae, last.transpose(1, 2).flatten(0, 1))[:, :, 0]
        ends = ends.unflatten(0, (count, SECTIONS)).transpose(1, 2)
        return scenes, *(t.to(torch.bfloat16) for t in (encode_clips(self.vae, x), ends, vision_input(x[:, :, 0])))

    def _section_texts(self, scene):
        early, late = ([self._tokenise(caption(self.rng, scene, late)) for _ in range(PARAPHRASES)] if late is False or
                       scene.switch < NEVER else None for late in (False, True))
        return [late if i * SECTION_FRAMES / FPS >= scene.switch - 1e-6 else early for i in range(SECTIONS)]

    def _index(self):
        self.by_length = [{} for _ in range(SECTIONS)]
        for slot in range(min(self.made, self.capacity)):
            for table, texts in zip(self.by_length, self.texts[slot]):
                for choice, (llama, _) in enumerate(texts):
                    table.setdefault(len(llama), []).append((slot, choice))

    def _tokenise(self, text):
        return self.prompts.llama_ids(text), self.prompts.clip_ids(text)

    def batch(self, size, section, empty=False):
        """`size` clips with captions for the section that have one length."""
        filled = min(self.made, self.capacity)
        if empty:
            slots = [self.rng.randrange(filled) for _ in range(size)]
            texts = [self._tokenise("")] * size
        else:
            anchor = self.rng.choice(self.texts[self.rng.randrange(filled)][section])
            picks = self.rng.choices(self.by_length[section][len(anchor[0])], k=size)
            slots, texts = [p[0] for p in picks], [self.texts[s][section][c] for s, c in picks]
        longest = max(len(t[1]) for t in texts)
        llama = sent([t[0] for t in texts], self.device)
        clip = sent([t[1] + [t[1][-1]] * (longest - len(t[1])) for t in texts], self.device)
        index = sent(slots, self.device)
        return Batch(self.latents[index].float(), self.ends[index].float(), self.images[index], self.changes[index],
                     self.blanks[index], llama, clip)
