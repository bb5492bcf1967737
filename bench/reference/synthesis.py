"""diffusers' models with the weights that `random:SEED:CONFIGDIR` stands for.

The worker makes them in engine/src/weights/synthesis.rs; here the same integer hash gives the same bits, so that no
file of 26 GB has to travel.
"""

import hashlib
import json
import math
import struct
from pathlib import Path

import torch

CHUNK = 1 << 22


def synthesised_model(config_dir, seed, dtype, device):
    """The packed transformer."""
    from diffusers import HunyuanVideoFramepackTransformer3DModel

    return synthesised(HunyuanVideoFramepackTransformer3DModel, config_dir, seed, dtype, device)


def synthesised_vae(config_dir, seed, dtype, device):
    from diffusers import AutoencoderKLHunyuanVideo

    return synthesised(AutoencoderKLHunyuanVideo, config_dir, seed, dtype, device)


def synthesised(model_class, config_dir, seed, dtype, device):
    """All parameters rounded to `dtype`, as a checkpoint would hold them."""
    with torch.device("meta"):
        model = model_class.from_config(read_config(config_dir))
    model = model.to(dtype).to_empty(device=device).eval()
    for name, parameter in model.state_dict().items():
        fill(seed, name, parameter)
    return model


def with_f32_output(model):
    """FramePack's `high_quality_fp32_output_for_inference`."""
    model.proj_out.float()
    model.proj_out.register_forward_pre_hook(lambda _, args: (args[0].float(),))
    return model


def read_config(config_dir):
    return json.loads((Path(config_dir) / "config.json").read_text())


def write_config(config_dir, output, double_blocks, single_blocks):
    """The same configuration with another number of blocks."""
    config = read_config(config_dir) | {"num_layers": double_blocks, "num_single_layers": single_blocks}
    Path(output).mkdir(parents=True, exist_ok=True)
    (Path(output) / "config.json").write_text(json.dumps(config, indent=2))


def fill(seed, name, parameter):
    """Writes the synthesised values into a parameter, rounded to its type."""
    if parameter.ndim > 1:
        centre, amplitude = 0.0, math.sqrt(3 / parameter[0].numel())
    elif name.endswith("weight"):
        centre, amplitude = 1.0, 0.1
    else:
        centre, amplitude = 0.0, 0.02
    flat = parameter.view(-1)
    for chunk, start in enumerate(range(0, flat.numel(), CHUNK)):
        piece = flat[start : start + CHUNK]
        values = (hashed(seed, name, chunk, piece.numel(), flat.device) >> 8).float()
        values *= f32(amplitude) / 2**23
        if centre:
            values += f32(centre)
        piece.copy_(values)


def hashed(seed, name, chunk, length, device):
    """Uniform 32-bit integers that depend on seed, name and position only."""
    key_0, key_1 = struct.unpack("<ii", hashlib.sha256(f"{seed}/{name}/{chunk}".encode()).digest()[:8])

    def xor_shift(x, bits):
        x ^= (x >> bits) & ((1 << (32 - bits)) - 1)

    x = torch.arange(length, dtype=torch.int32, device=device)
    x += key_0
    xor_shift(x, 16)
    x *= 0x21F0AAAD
    x ^= key_1
    xor_shift(x, 15)
    x *= 0x735A2D97
    xor_shift(x, 15)
    return x


def f32(value):
    return struct.unpack("f", struct.pack("f", value))[0]
