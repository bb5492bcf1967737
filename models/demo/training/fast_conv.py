"""The VAE's causal convolution as one 2-D convolution over stacked time taps.

3-D bf16 convolutions with few channels are slow on GPUs; 2-D channels-last ones are not. Numerically
the same as `HunyuanVideoCausalConv3d`: replicate padding, two past frames in time.
"""

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_kl_hunyuan_video import HunyuanVideoCausalConv3d


class _PadAndStack(torch.autograd.Function):
    """[B, C, T, H, W] -> [B, T', H+2, W+2, 3C]: replicate padding and the three time taps side by side."""

    @staticmethod
    def forward(ctx, x, stride):
        b, c, t, h, w = x.shape
        ctx.shape, ctx.stride = x.shape, stride
        padded = x.new_empty(b, t + 2, h + 2, w + 2, c)
        padded[:, 2:, 1:-1, 1:-1] = x.permute(0, 2, 3, 4, 1)
        padded[:, 2:, 0, 1:-1] = padded[:, 2:, 1, 1:-1]
        padded[:, 2:, -1, 1:-1] = padded[:, 2:, -2, 1:-1]
        padded[:, 2:, :, 0] = padded[:, 2:, :, 1]
        padded[:, 2:, :, -1] = padded[:, 2:, :, -2]
        padded[:, :2] = padded[:, 2:3]
        frames = (t - 1) // stride + 1
        return torch.cat([padded[:, k:k + stride * (frames - 1) + 1:stride] for k in range(3)], -1)

    @staticmethod
    def backward(ctx, grad):
        b, c, t, h, w = ctx.shape
        stride, frames = ctx.stride, grad.shape[1]
        padded = grad.new_zeros(b, t + 2, h + 2, w + 2, c)
        for k in range(3):
            padded[:, k:k + stride * (frames - 1) + 1:stride] += grad[..., k * c:(k + 1) * c]
        padded[:, 2] += padded[:, 0] + padded[:, 1]
        inner = padded[:, 2:]
        inner[:, :, :, 1] += inner[:, :, :, 0]
        inner[:, :, :, -2] += inner[:, :, :, -1]
        inner[:, :, 1] += inner[:, :, 0]
        inner[:, :, -2] += inner[:, :, -1]
        return inner[:, :, 1:-1, 1:-1].permute(0, 4, 1, 2, 3), None


def _forward(self, x):
    conv = self.conv
    if conv.kernel_size[0] == 1:
        return F.linear(x.movedim(1, -1), conv.weight.flatten(1), conv.bias).movedim(-1, 1)
    stacked = _PadAndStack.apply(x, conv.stride[0])
    b, t, h, w, c = stacked.shape
    weight = conv.weight.permute(0, 2, 1, 3, 4).flatten(1, 2).contiguous(memory_format=torch.channels_last)
    flat = stacked.reshape(b * t, h, w, c).permute(0, 3, 1, 2)
    y = F.conv2d(flat, weight.to(flat.dtype), conv.bias.to(flat.dtype), stride=conv.stride[1:])
    return y.reshape(b, t, *y.shape[1:]).permute(0, 2, 1, 3, 4)


def use_fast_convolutions(enabled=True):
    """Switches every causal convolution of diffusers' VAE to the 2-D form (training and evaluation only)."""
    if not hasattr(HunyuanVideoCausalConv3d, "_original"):
        HunyuanVideoCausalConv3d._original = HunyuanVideoCausalConv3d.forward
    HunyuanVideoCausalConv3d.forward = _forward if enabled else HunyuanVideoCausalConv3d._original
