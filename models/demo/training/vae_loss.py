"""The VAE's loss: reconstruction, gradients, mean colours, latents of unit variance, HunyuanVideo's latent preview, a critic.

Every encode and decode sees what inference sees: the encoder 17-frame tiles and single first frames, the decoder tiles of
five latents that start anywhere in a clip (diffusers' framewise tiling).
"""

import random

import torch
import torch.nn.functional as F
from torch import nn

from networks import SCALING_FACTOR

# The linear latent -> RGB preview published with HunyuanVideo: training against it makes previews of our latents right too.
PREVIEW = torch.tensor([
    [-0.0395, -0.0331, 0.0445], [0.0696, 0.0795, 0.0518], [0.0135, -0.0945, -0.0282], [0.0108, -0.0250, -0.0765],
    [-0.0209, 0.0032, 0.0224], [-0.0804, -0.0254, -0.0639], [-0.0991, 0.0271, -0.0669], [-0.0646, -0.0422, -0.0400],
    [-0.0696, -0.0595, -0.0894], [-0.0799, -0.0208, -0.0375], [0.1166, 0.1627, 0.0962], [0.1165, 0.0432, 0.0407],
    [-0.2315, -0.1920, -0.1355], [-0.0270, 0.0401, -0.0821], [-0.0616, -0.0997, -0.0727], [0.0249, -0.0469, -0.1703]])
PREVIEW_BIAS = torch.tensor([0.0259, -0.0192, -0.0761])
POSTERIOR_STD = 0.05  # constant, so there is no KL term to balance: `spread` keeps the latents at unit variance
MAX_NOISE = 0.1  # the decoder also sees more, since at inference latents are a model's
CLEAN = 0.25  # share of tiles without: noise is most of what a group norm sees in a flat picture, so without it colours differ
BORROWED = 0.3  # weight of the frame that a later tile repeats: dropped by the tiling, shown where a clip starts with it


def posterior_mean(vae, x):
    """Latents of [B, 3, F, H, W] before scaling."""
    return vae.quant_conv(vae.encoder(x)).float().chunk(2, 1)[0]


def reconstruct(vae, x, noise=0.0):
    """Outputs and latent means of both tiles of a 29-frame clip, the first tile with a single-frame start."""
    dtype = vae.quant_conv.weight.dtype
    b = x.shape[0]
    tiles = torch.cat([x[:, :, :17], x[:, :, 12:29]]).to(dtype)
    mean = posterior_mean(vae, tiles)
    first = posterior_mean(vae, tiles[:b, :, :1])
    mean = torch.cat([torch.cat([first, mean[:b, :, 1:]], 2), torch.cat([mean[:b, :, 3:4], mean[b:, :, 1:]], 2)])
    out = vae.decoder(vae.post_quant_conv((mean + noise).to(dtype))).float()
    return out, mean


class Tiles(nn.Module):
    """`reconstruct` as a module, recorded once for each shape on a GPU: thousands of small kernels in one launch."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, x, noise):
        return reconstruct(self.vae, x, noise)

    @classmethod
    def recorded(cls, vae, clips, size):
        """For clips [clips, 3, 29, *size]."""
        height, width = size
        device = vae.quant_conv.weight.device
        tiles = cls(vae)
        if device.type != "cuda":
            return tiles
        shapes = (clips, 3, 29, height, width), (2 * clips, 16, 5, height // 8, width // 8)
        return torch.cuda.make_graphed_callables(tiles, tuple(torch.zeros(s, device=device) for s in shapes), allow_unused_input=True)


def noise_for(x):
    """Noise for the latents of both tiles, of a different size for each."""
    b, _, _, h, w = x.shape
    size = MAX_NOISE * (torch.rand(2 * b, 1, 1, 1, 1, device=x.device) - CLEAN).clamp_min(0) / (1 - CLEAN)
    return size * torch.randn(2 * b, 16, 5, h // 8, w // 8, device=x.device)


def gradient_loss(error):
    """Mean absolute difference of neighbouring errors in time, y and x."""
    return error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean() + error.diff(dim=4).abs().mean()


def preview_loss(latents, x):
    """Distance of the linear preview to the downsampled frames each latent stands for."""
    rgb = torch.einsum("bcthw,cr->brthw", latents, PREVIEW.to(latents)) + PREVIEW_BIAS.to(latents)[:, None, None, None]
    small = F.avg_pool3d((x + 1) / 2, (1, 8, 8))
    target = torch.cat([small[:, :, :1], F.avg_pool3d(small[:, :, 1:], (4, 1, 1))], 2)
    return (rgb - target).abs().mean()


def losses(tiles, x):
    """The loss without the critic, its parts, and both tiles made and true [2B, 3, 17, h, w]."""
    b = x.shape[0]
    out, mean = tiles(x, noise_for(x))
    keep = torch.ones(2 * b, 1, 17, 1, 1, device=x.device)
    keep[b:, :, 0] = BORROWED
    target = torch.cat([x[:, :, :17], x[:, :, 12:29]])
    error = (out - target) * keep
    latents = mean * SCALING_FACTOR
    flat = latents.transpose(0, 1).flatten(1)
    spread = flat.mean(1).square().mean() + flat.std(1).log().square().mean()
    color = error.mean((3, 4)).abs().mean()
    rec = error.abs().mean() + 2.0 * error.square().mean() + 2.0 * color
    total = rec + 0.5 * gradient_loss(error) + 0.15 * preview_loss(latents[:b], x[:, :, :17]) + 0.05 * spread
    return total, {"mse": error.square().mean().detach(), "spread": spread.detach()}, out, target


class Critic(nn.Sequential):
    """Judges patches of frames [n, 3, h, w]: positive for true ones."""

    def __init__(self, width=48):
        layers, channels = [], 3
        for i, out in enumerate((width, 2 * width, 4 * width)):
            layers += [nn.Conv2d(channels, out, 4, 2, 1), *([nn.GroupNorm(8, out)] if i else []), nn.LeakyReLU(0.2)]
            channels = out
        super().__init__(*layers, nn.Conv2d(channels, 1, 3, 1, 1))


class Adversary:
    """A critic with its own optimiser."""

    def __init__(self, group, share, frames=2):
        self.group, self.share, self.frames = group, share, frames
        self.critic = Critic().to(group.device, memory_format=torch.channels_last)
        self.params = list(self.critic.parameters())
        self.optimizer = torch.optim.Adam(self.params, 3e-4, betas=(0.5, 0.95))

    def _judge(self, frames):
        with torch.autocast(frames.device.type, torch.bfloat16, enabled=self.group.cuda):
            return self.critic(frames.contiguous(memory_format=torch.channels_last)).float()

    def _some(self, clips, picks):
        return torch.cat([clips[:, :, i] for i in picks])

    def loss(self, out, target, rec):
        """Trains the critic on some frames; returns the generator's term, whose gradient on the frames is `share` of that of `rec`."""
        picks = random.sample(range(1, out.shape[2]), self.frames)
        made, true = self._some(out, picks), self._some(target, picks)
        hinge = F.relu(1 - self._judge(true)).mean() + F.relu(1 + self._judge(made.detach())).mean()
        grads = self.group.average(list(torch.autograd.grad(hinge, self.params)))
        for p, g in zip(self.params, grads):
            p.grad = g
        self.optimizer.step()
        fool = -self._judge(made).mean()
        pull, push = (torch.autograd.grad(value, out, retain_graph=True)[0].norm() for value in (rec, fool))
        return fool * (self.share * pull / (push + 1e-12)).detach()
