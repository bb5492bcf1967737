"""The VAE's encoder and decoder for training: channels last, causal convolutions as 2-D ones.

3-D bf16 convolutions with few channels are slow on GPUs; 2-D ones over stacked time taps are not. Numerically the same as
diffusers' modules, whose weights they use. Activations are [B, T, H, W, C] throughout.
"""

import functools

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders import autoencoder_kl_hunyuan_video as reference
from diffusers.models.autoencoders.autoencoder_kl_hunyuan_video import prepare_causal_attention_mask


def _padded(x):
    """Replicate padding: a pixel on each side, two frames before."""
    frames, rows, columns = (torch.arange(-before, n + after, device=x.device).clamp(0, n - 1)
                             for n, before, after in zip(x.shape[1:4], (2, 1, 1), (0, 1, 1)))
    return x[:, frames[:, None, None], rows[:, None], columns]


def _folded(grad, dim):
    """Gradient of a replicated pixel on each side of `dim`."""
    n = grad.shape[dim]
    inner, first, last = grad.narrow(dim, 1, n - 2), grad.narrow(dim, 0, 1), grad.narrow(dim, n - 1, 1)
    if n == 3:
        return inner + first + last
    return torch.cat([inner.narrow(dim, 0, 1) + first, inner.narrow(dim, 1, n - 4), inner.narrow(dim, n - 3, 1) + last], dim)


class _PadAndStack(torch.autograd.Function):
    """[B, T, H, W, C] -> [B, T', H + 2, W + 2, 3C]: replicate padding and the three time taps side by side."""

    @staticmethod
    def forward(ctx, x, stride):
        ctx.frames, ctx.stride = x.shape[1], stride
        padded = _padded(x)
        last = stride * ((x.shape[1] - 1) // stride) + 1
        return torch.cat([padded[:, k:k + last:stride] for k in range(3)], -1)

    @staticmethod
    def backward(ctx, grad):
        c = grad.shape[-1] // 3
        taps = _folded(_folded(grad, 2), 3)
        frames = ctx.frames
        total = taps.new_zeros(grad.shape[0], frames + 2, *taps.shape[2:4], c)
        last = ctx.stride * (grad.shape[1] - 1) + 1
        for k in range(3):
            total[:, k:k + last:ctx.stride] += taps[..., k * c:(k + 1) * c]
        return torch.cat([total[:, :3].sum(1, keepdim=True), total[:, 3:]], 1), None


class _NormAct(torch.autograd.Function):
    """SiLU of a group norm of [B, N, C] in fp32, in few passes: per channel it is one scale and one shift."""

    @staticmethod
    def forward(ctx, x, weight, bias, groups, eps):
        b, n, c = x.shape
        values = x.float()
        variance, mean = torch.var_mean(values.view(b, n, groups, -1), dim=(1, 3), correction=0)
        inverse = torch.rsqrt(variance + eps)
        spread = [v.repeat_interleave(c // groups, 1)[:, None] for v in (mean, inverse)]
        scale = spread[1] * weight.float()
        shift = bias.float() - spread[0] * scale
        ctx.save_for_backward(x, weight, *spread, scale, shift)
        ctx.groups = groups
        return F.silu(torch.addcmul(shift, values, scale)).to(x.dtype)

    @staticmethod
    def backward(ctx, grad):
        x, weight, mean, inverse, scale, shift = ctx.saved_tensors
        b, n, c = x.shape
        values = x.float()
        dy = torch.ops.aten.silu_backward(grad.float(), torch.addcmul(shift, values, scale))
        total, product = dy.sum(1, keepdim=True), (dy * values).sum(1, keepdim=True)
        along = (product - mean * total) * inverse  # sum of dy times the normed value

        def mean_of_group(v):
            v = (v * weight.float()).view(b, 1, ctx.groups, -1)
            return v.mean(3, keepdim=True).expand_as(v).reshape(b, 1, c) / n

        slope = -mean_of_group(along) * inverse * inverse
        offset = -mean_of_group(total) * inverse - slope * mean
        dx = torch.addcmul(torch.addcmul(offset, values, slope), dy, scale).to(x.dtype)
        return dx, along.sum((0, 1)).to(weight.dtype), total.sum((0, 1)).to(weight.dtype), None, None


def _convolve(stacked, conv):
    b, t, h, w, c = stacked.shape
    weight = conv.weight.permute(0, 2, 1, 3, 4).flatten(1, 2).contiguous(memory_format=torch.channels_last)
    y = F.conv2d(stacked.reshape(b * t, h, w, c).permute(0, 3, 1, 2), weight, conv.bias, stride=conv.stride[1:])
    y = y.permute(0, 2, 3, 1)
    return y.reshape(b, t, *y.shape[1:])


def _conv(x, module):
    return _convolve(_PadAndStack.apply(x, module.conv.stride[0]), module.conv)


def _norm_conv(x, norm, module):
    y = _NormAct.apply(x.flatten(1, 3), norm.weight, norm.bias, norm.num_groups, norm.eps)
    return _conv(y.view(x.shape), module)


def _resnet(x, block):
    y = _norm_conv(_norm_conv(x, block.norm1, block.conv1), block.norm2, block.conv2)
    shortcut = block.conv_shortcut
    return y + (x if shortcut is None else F.linear(x, shortcut.conv.weight.flatten(1), shortcut.conv.bias))


@functools.cache
def _mask(frames, area, dtype, device):
    return prepare_causal_attention_mask(frames, area, dtype, device)


def _middle(x, block):
    x = _resnet(x, block.resnets[0])
    for attention, resnet in zip(block.attentions, block.resnets[1:]):
        b, t, h, w, _ = x.shape
        mask = _mask(t, h * w, x.dtype, x.device).expand(b, -1, -1)
        x = _resnet(attention(x.flatten(1, 3), attention_mask=mask).unflatten(1, (t, h, w)), resnet)
    return x


def _repeat(x, dim, times):
    return x.repeat_interleave(times, dim) if times > 1 else x


def _upsample(x, module):
    ft, fh, fw = module.upsample_factor
    x = _repeat(_repeat(x, 2, fh), 3, fw)
    if ft > 1 and x.shape[1] > 1:
        x = torch.cat([x[:, :1], _repeat(x[:, 1:], 1, ft)], 1)
    return _conv(x, module.conv)


def _encoder(self, x):
    x = _conv(x.permute(0, 2, 3, 4, 1), self.conv_in)
    for block in self.down_blocks:
        for resnet in block.resnets:
            x = _resnet(x, resnet)
        for sampler in block.downsamplers or ():
            x = _conv(x, sampler.conv)
    return _norm_conv(_middle(x, self.mid_block), self.conv_norm_out, self.conv_out).permute(0, 4, 1, 2, 3)


def _decoder(self, z):
    x = _middle(_conv(z.permute(0, 2, 3, 4, 1), self.conv_in), self.mid_block)
    for block in self.up_blocks:
        for resnet in block.resnets:
            x = _resnet(x, resnet)
        for sampler in block.upsamplers or ():
            x = _upsample(x, sampler)
    return _norm_conv(x, self.conv_norm_out, self.conv_out).permute(0, 4, 1, 2, 3)


def use_fast_vae():
    """Switches diffusers' encoder and decoder to the fast form (training and evaluation only)."""
    reference.HunyuanVideoEncoder3D.forward = _encoder
    reference.HunyuanVideoDecoder3D.forward = _decoder
