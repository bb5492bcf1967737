"""Scales a VAE's residual streams by powers of two so that none leaves f16's range, in which GPUs decode.

Every reader of a stream is a group norm, which takes the scale out again, or a convolution into the next stream, whose
weights make up for it. So the VAE computes the same, but for the norms' epsilon and for what f16 rounds.
"""

import torch

LARGEST = 2048.0  # of 65504: pictures and prompts that were never tried need room


class Stream:
    """What a run of residual blocks adds up: convolutions that write into it, at its beginning from the stream before."""

    def __init__(self, entry):
        self.entry, self.writers, self.largest = entry, [], 0.0

    def watch(self, module):
        return module.register_forward_hook(self.seen)

    def seen(self, _module, _inputs, output):
        self.largest = max(self.largest, output.abs().max().item())

    def factor(self):
        return min(1.0, 2.0 ** torch.tensor(LARGEST / self.largest).log2().floor().item())


def streams(coder):
    """The streams of an encoder or decoder, in order, with the modules whose outputs they are."""
    found, seen = [], []

    def begin(conv):
        found.append(Stream(conv))
        seen.append((found[-1], conv))

    def through(resnet):
        if resnet.conv_shortcut is not None:
            begin(resnet.conv_shortcut)
        found[-1].writers.append(resnet.conv2)
        seen.append((found[-1], resnet))

    def middle():
        for number, resnet in enumerate(coder.mid_block.resnets):
            through(resnet)
            for attention in list(coder.mid_block.attentions)[number : number + 1]:
                found[-1].writers.append(attention.to_out[0])
                seen.append((found[-1], attention))

    begin(coder.conv_in)
    upwards = hasattr(coder, "up_blocks")
    if upwards:
        middle()
    for block in coder.up_blocks if upwards else coder.down_blocks:
        for resnet in block.resnets:
            through(resnet)
        for sampler in (block.upsamplers if upwards else block.downsamplers) or []:
            begin(sampler.conv)
    if not upwards:
        middle()
    return found, seen


@torch.no_grad()
def scale(module, weight, bias):
    inner = getattr(module, "conv", module)
    inner.weight *= weight
    if inner.bias is not None:
        inner.bias *= bias


@torch.no_grad()
def fit_half_range(vae, clip):
    """Rescales `vae` in place by what `clip`, [1, 3, frames, height, width], makes of it; the factors, encoder first."""
    vae = vae.float().eval()
    coders = [streams(vae.encoder), streams(vae.decoder)]
    hooks = [stream.watch(module) for _, seen in coders for stream, module in seen]
    vae.decode(vae.encode(clip).latent_dist.mode())
    for hook in hooks:
        hook.remove()
    factors = []
    for found, _ in coders:
        before = 1.0
        for stream in found:
            factor = stream.factor()
            scale(stream.entry, factor / before, factor)
            for writer in stream.writers:
                scale(writer, factor, factor)
            factors.append(factor)
            before = factor
    return factors
