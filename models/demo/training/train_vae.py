"""Trains the VAE on rendered clips: reconstruction, gradients, latents of unit variance, and HunyuanVideo's latent preview.

Every encode and decode sees what inference sees: the encoder 17-frame tiles and single first frames, the decoder tiles of
five latents that start anywhere in a clip (diffusers' framewise tiling).
"""

import argparse
import math
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from fast_conv import use_fast_convolutions
from metrics import psnr, ssim
from networks import SCALING_FACTOR, build_vae
from optim import Optimizer
from render import FPS, render
from runlog import Budget, Log
from scenes import BUCKETS, CAMERA_MOTIONS, TEST_PHOTOS, TRAIN_PHOTOS, sample_scene

# The linear latent -> RGB preview published with HunyuanVideo: training against it makes previews of our latents right too.
PREVIEW = torch.tensor([
    [-0.0395, -0.0331, 0.0445], [0.0696, 0.0795, 0.0518], [0.0135, -0.0945, -0.0282], [0.0108, -0.0250, -0.0765],
    [-0.0209, 0.0032, 0.0224], [-0.0804, -0.0254, -0.0639], [-0.0991, 0.0271, -0.0669], [-0.0646, -0.0422, -0.0400],
    [-0.0696, -0.0595, -0.0894], [-0.0799, -0.0208, -0.0375], [0.1166, 0.1627, 0.0962], [0.1165, 0.0432, 0.0407],
    [-0.2315, -0.1920, -0.1355], [-0.0270, 0.0401, -0.0821], [-0.0616, -0.0997, -0.0727], [0.0249, -0.0469, -0.1703]])
PREVIEW_BIAS = torch.tensor([0.0259, -0.0192, -0.0761])
POSTERIOR_STD = 0.1  # constant, so there is no KL term to balance: `spread` keeps the latents at unit variance
CLIP_FRAMES = 29  # two encoder tiles of 17 frames, stride 12


def vae_scene(rng, bucket, photos):
    """Like the transformer's scenes with more photographs."""
    scene = sample_scene(rng, bucket, photos=photos)
    if rng.random() < 0.3:
        scene.photo, scene.photo_zoom = rng.choice(photos), rng.random() ** 1.5
        if rng.random() < 0.7:
            scene.things, scene.camera = [], rng.choice(CAMERA_MOTIONS + ["none"])
    return scene


def batch(rng, count, bucket, crop, device, photos=TRAIN_PHOTOS):
    """Clips [count, 3, 29, h, w] at random times, flipped and with colour channels permuted."""
    scenes = [vae_scene(rng, bucket, photos) for _ in range(count)]
    start = torch.tensor([rng.choice([0.0, rng.uniform(0, 4)]) for _ in range(count)], device=device)
    times = start[:, None] + (torch.arange(CLIP_FRAMES, device=device) / FPS)[None]
    window = None
    if crop:
        top = torch.tensor([float(rng.randrange(0, bucket[0] - crop + 1)) for _ in range(count)], device=device)
        left = torch.tensor([float(rng.randrange(0, bucket[1] - crop + 1)) for _ in range(count)], device=device)
        window = (top, left, crop, crop)
    x = render(scenes, times, device, window)
    if rng.random() < 0.5:
        x = x.flip(4)
    if crop and rng.random() < 0.5:
        x = x.transpose(3, 4)
    if rng.random() < 0.6:
        x = x[:, rng.sample(range(3), 3)]
    return x


def posterior_mean(vae, x):
    """Latents of [B, 3, F, H, W] before scaling."""
    return vae.quant_conv(vae.encoder(x)).float().chunk(2, 1)[0]


def reconstruct(vae, x, sample):
    """Outputs and latent means of both tiles of a 29-frame clip, the first tile with a single-frame start."""
    dtype = vae.quant_conv.weight.dtype
    b = x.shape[0]
    tiles = torch.cat([x[:, :, :17], x[:, :, 12:29]]).to(dtype)
    mean = posterior_mean(vae, tiles)
    first = posterior_mean(vae, tiles[:b, :, :1])
    mean = torch.cat([torch.cat([first, mean[:b, :, 1:]], 2), torch.cat([mean[:b, :, 3:4], mean[b:, :, 1:]], 2)])
    z = mean + POSTERIOR_STD * torch.randn_like(mean) if sample else mean
    out = vae.decoder(vae.post_quant_conv(z.to(dtype))).float()
    return out, mean


def gradient_loss(error):
    """Mean absolute difference of neighbouring errors in time, y and x."""
    return error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean() + error.diff(dim=4).abs().mean()


def preview_loss(latents, x):
    """Distance of the linear preview to the downsampled frames each latent stands for."""
    rgb = torch.einsum("bcthw,cr->brthw", latents, PREVIEW.to(latents)) + PREVIEW_BIAS.to(latents)[:, None, None, None]
    small = F.avg_pool3d((x + 1) / 2, (1, 8, 8))
    target = torch.cat([small[:, :, :1], F.avg_pool3d(small[:, :, 1:], (4, 1, 1))], 2)
    return (rgb - target).abs().mean()


def losses(vae, x):
    b = x.shape[0]
    out, mean = reconstruct(vae, x, sample=True)
    keep = torch.ones(2 * b, 1, 17, 1, 1, device=x.device)
    keep[b:, :, 0] = 0  # the first frame of a later tile is dropped by the tiling
    target = torch.cat([x[:, :, :17], x[:, :, 12:29]])
    error = (out - target) * keep
    latents = mean * SCALING_FACTOR
    flat = latents.transpose(0, 1).flatten(1)
    spread = flat.mean(1).square().mean() + flat.std(1).log().square().mean()
    rec = error.abs().mean() + 2.0 * error.square().mean()
    total = rec + 0.5 * gradient_loss(error) + 0.15 * preview_loss(latents[:b], x[:, :, :17]) + 0.05 * spread
    return total, {"mse": error.square().mean().detach(), "spread": spread.detach()}


@torch.no_grad()
def evaluate(vae, device, seed=999, per_bucket=8, photos=TRAIN_PHOTOS + TEST_PHOTOS):
    """PSNR and SSIM of held-out clips at every bucket; latent statistics."""
    rng = random.Random(seed)
    scores, stats = [], []
    for bucket in BUCKETS:
        x = batch(rng, per_bucket, bucket, 0, device, photos)
        out, mean = reconstruct(vae, x, sample=False)
        frames = torch.cat([out[:per_bucket], out[per_bucket:, :, 5:]], 2)  # latent 3..7 of the second tile after frame 16
        scores.append((psnr(frames, x).mean().item(), ssim(frames, x).mean().item()))
        stats.append(mean.mul(SCALING_FACTOR).transpose(0, 1).flatten(1))
    latents = torch.cat(stats, 1)
    return {"psnr": sum(s[0] for s in scores) / len(scores), "ssim": sum(s[1] for s in scores) / len(scores),
            "latent_mean": latents.mean().item(), "latent_std": latents.std().item(),
            "channel_std_min": latents.std(1).min().item(), "channel_std_max": latents.std(1).max().item()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", type=float, default=0.7, help="progress at which crops give way to whole frames")
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(args.seed)
    torch.backends.cudnn.benchmark = True
    use_fast_convolutions()
    rng = random.Random(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    log = Log(args.out / "vae_log.jsonl")
    vae = build_vae().to(device)
    with torch.no_grad():  # start near unit variance; the posterior's noise is constant
        vae.quant_conv.weight[:16] *= 8
        vae.quant_conv.weight[16:] = 0
        vae.quant_conv.bias[16:] = 2 * math.log(POSTERIOR_STD)
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    opt = Optimizer(vae, args.lr, adam=("conv_in", "conv_out", "quant_conv"), ema=0.995, dtype=dtype)
    budget = Budget(args.seconds, args.steps)
    saved = time.time()
    while budget.progress < 1:
        full = budget.progress >= args.full
        x = batch(rng, max(1, args.batch // 4) if full else args.batch, rng.choice(BUCKETS), 0 if full else 64, device)
        loss, parts = losses(vae, x)
        loss.backward()
        warm = min(1.0, (budget.step + 1) / 100)
        opt.step(warm * max(0.0, min(1.0, (1 - budget.progress) / 0.6)) + 1e-3)
        if budget.step % 50 == 0 or budget.step < 4:
            log.write(step=budget.step, seconds=budget.elapsed, loss=loss.item(), psnr=(4 / parts["mse"]).log10().item() * 10,
                      spread=parts["spread"].item(), full=full)
        if time.time() - saved > 100:
            save_file({k: v.half() for k, v in opt.averaged(vae).items()}, args.out / "vae.safetensors")
            saved = time.time()
        budget.step += 1
    save_file({k: v.half().contiguous() for k, v in opt.averaged(vae).items()}, args.out / "vae.safetensors")
    vae.load_state_dict({k: v.half() for k, v in opt.averaged(vae).items()})
    scores = evaluate(vae, device)
    log.write(step=budget.step, seconds=budget.elapsed, final=True, **scores)
    log.write(photos_only=True, **evaluate(vae, device, photos=TEST_PHOTOS))


if __name__ == "__main__":
    main()
