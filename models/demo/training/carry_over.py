"""A transformer carried over to another VAE's latents: the rotation of the channels that brings both nearest together."""

import random

import torch
from diffusers import AutoencoderKLHunyuanVideo

from pool import encode_clips
from render import clip_times, render
from scenes import BUCKETS, sample_scene

FRAMES = 33


def latents_of(vae, clips):
    """[16, n] of clips."""
    return encode_clips(vae, clips).transpose(0, 1).flatten(1).double()


def rotation(old, new, device, count=24, seed=1):
    """Orthogonal [16, 16] Q for which the old VAE's latents are about Q times the new one's, and the share of variance explained."""
    rng = random.Random(seed)
    scenes = [sample_scene(rng, BUCKETS[2]) for _ in range(count)]
    clips = torch.cat([render([s], clip_times(1, FRAMES, device), device) for s in scenes])
    a, b = latents_of(old, clips), latents_of(new, clips)
    u, _, v = torch.linalg.svd(a @ b.T)
    q = u @ v
    return q.float(), float(1 - (a - q @ b).square().sum() / a.square().sum())


def carried_over(weights, q):
    """The weights of `FramePack` with the transformer's input and output channels turned."""
    turned = dict(weights)
    for name in weights:
        if name.startswith(("transformer.x_embedder.proj.w", "transformer.clean_x_embedder.")) and name.endswith("weight"):
            turned[name] = torch.einsum("oithw,ij->ojthw", weights[name], q)
    out, bias = "transformer.proj_out.weight", "transformer.proj_out.bias"
    turned[out] = torch.einsum("ipd,ij->jpd", weights[out].unflatten(0, (16, -1)), q).flatten(0, 1)
    turned[bias] = torch.einsum("ip,ij->jp", weights[bias].unflatten(0, (16, -1)), q).flatten(0, 1)
    return turned


def from_bundle(folder, weights, new, group):
    """A bundle's weights for the latents of the VAE `new`; the share of variance explained."""
    q, share = torch.eye(16, device=group.device), 0.0
    if group.first:
        old = AutoencoderKLHunyuanVideo.from_pretrained(folder / "vae").to(group.device, group.dtype).eval()
        q, share = rotation(old, new, group.device)
    return carried_over(weights, group.same(q.contiguous()).cpu()), share
