"""The VAE's figures on held-out clips: fidelity, latent statistics, photographs, flat colours."""

import itertools
import random

import torch

from metrics import psnr, ssim
from networks import SCALING_FACTOR
from render import clip_times, render
from scenes import BUCKETS, CAMERA_MOTIONS, TEST_PHOTOS, TRAIN_PHOTOS, Scene
from vae_data import CLIP_FRAMES, batch
from vae_loss import reconstruct


def _fidelity(vae, x):
    b = x.shape[0]
    out, mean = reconstruct(vae, x)
    frames = torch.cat([out[:b], out[b:, :, 5:]], 2)  # latents 3..7 of the second tile after frame 16
    return psnr(frames, x).mean().item(), ssim(frames, x).mean().item(), frames, mean * SCALING_FACTOR


def scenes(vae, device, photos=TRAIN_PHOTOS + TEST_PHOTOS, per_bucket=8, seed=999):
    """PSNR and SSIM of held-out clips at every bucket; latent statistics."""
    rng = random.Random(seed)
    scores, stats = [], []
    for bucket in BUCKETS:
        p, s, _, latents = _fidelity(vae, batch(rng, per_bucket, bucket, device, photos))
        scores.append((p, s))
        stats.append(latents.transpose(0, 1).flatten(1))
    latents = torch.cat(stats, 1)
    return {"psnr": sum(s[0] for s in scores) / len(scores), "ssim": sum(s[1] for s in scores) / len(scores),
            "latent_mean": latents.mean().item(), "latent_std": latents.std().item(),
            "channel_std_min": latents.std(1).min().item(), "channel_std_max": latents.std(1).max().item()}


def photos(vae, device):
    """Whole held-out photographs, still and under every camera motion, at three sizes."""
    found = [Scene(128, 128, camera=c, photo=p, photo_zoom=z, seed=7)
             for c in ["none", *CAMERA_MOTIONS] for p in TEST_PHOTOS for z in (0.0, 0.5, 1.0)]
    scores = {}
    for scene in found:
        p, s, *_ = _fidelity(vae, render([scene], clip_times(1, CLIP_FRAMES, device), device))
        scores.setdefault(scene.photo, []).append((p, s))
    every = [s for values in scores.values() for s in values]
    return {"clips": len(found), "psnr": sum(s[0] for s in every) / len(every), "ssim": sum(s[1] for s in every) / len(every),
            "psnr_of_each": {k: sum(s[0] for s in v) / len(v) for k, v in scores.items()}}


def flat_colors(vae, device):
    """How far the mean colour of flat clips comes back, of 255; over a grid of colours and greys."""
    levels = (20, 90, 160, 235)
    colors = [(117, 117, 117), (90, 90, 9), (0, 0, 0), (255, 255, 255), (0, 177, 64), *itertools.product(levels, repeat=3)]
    worst, names, total = [], [], 0.0
    for color in colors:
        x = torch.tensor(color, device=device).float()[None, :, None, None, None].expand(1, 3, CLIP_FRAMES, 128, 128) / 127.5 - 1
        *_, frames, _ = _fidelity(vae, x)
        error = ((frames - x).mean((3, 4)) * 127.5).abs()[0]
        total += error.mean().item()
        worst.append(error.max().item())
        names.append(color)
    top = max(range(len(colors)), key=lambda i: worst[i])
    return {"colors": len(colors), "mean_error": total / len(colors), "worst_error": worst[top], "worst_color": names[top],
            "grey_117": worst[0], "olive_90_90_9": worst[1], "within_3": sum(w <= 3 for w in worst) / len(worst)}
