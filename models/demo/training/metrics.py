"""PSNR and SSIM of clips in [-1, 1], one value per clip."""

import torch
import torch.nn.functional as F


def psnr(a, b):
    """Peak signal-to-noise ratio [B] over everything but the batch."""
    mse = (a.clamp(-1, 1) - b).float().square().flatten(1).mean(1)
    return 10 * torch.log10(4 / mse.clamp_min(1e-10))


def ssim_map(a, b):
    """Structural similarity [N, C, h, w] of pictures [N, C, H, W] in [-1, 1] with a 7x7 window (six pixels smaller)."""
    a, b = (x.clamp(-1, 1).float() for x in (a, b))
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2

    def mean(x):
        return F.avg_pool2d(x, 7, 1)

    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    return ((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2))


def ssim(a, b):
    """Structural similarity [B] of clips [B, C, F, H, W], averaged over channels and frames."""
    value = ssim_map(*(x.transpose(1, 2).flatten(0, 1) for x in (a, b)))
    return value.reshape(a.shape[0], -1).mean(1)
