"""The arguments of one forward, as a file for both sides."""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from synthesis import read_config

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests/oracle"))
import arguments


# Where the context's frames are: the first index of the latents, and of the frames at full, half and quarter resolution.
BACKWARD = {"latents": [1], "clean": [0, 10], "clean_2x": [11], "clean_4x": [13]}
# F1's history comes before the section, the oldest frames first.
FORWARD = {"latents": [20], "clean": [0, 19], "clean_2x": [17], "clean_4x": [1]}


def write_inputs(config_dir, output, size, text_tokens, seed, order="backward"):
    """Random arguments in the sizes of a section of FramePack; floats hold bf16 values."""
    orders = {"backward": BACKWARD, "forward": FORWARD}
    if order not in orders:
        sys.exit(f"the order is backward or forward, not {order}")
    first = orders[order]
    config = read_config(config_dir)
    height, width = (int(side) // 8 for side in size.split("x"))
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator).bfloat16()

    def frames(group, count):
        starts = first[group]
        length = count // len(starts)
        indices = torch.cat([torch.arange(start, start + length) for start in starts])
        return normal(1, config["in_channels"], count, height, width), indices[None]

    inputs = {
        "timestep": torch.tensor([872.0]),
        "guidance": torch.tensor([9984.0]),
        "encoder_hidden_states": normal(1, 512, config["text_embed_dim"]),
        "encoder_attention_mask": (torch.arange(512) < text_tokens)[None].to(torch.uint8),
        "pooled_projections": normal(1, config["pooled_projection_dim"]),
        "image_embeddings": normal(1, 729, config["image_proj_dim"]),
    }
    inputs["hidden_states"], inputs["latent_indices"] = frames("latents", 9)
    inputs["clean_latents"], inputs["clean_latent_indices"] = frames("clean", 2)
    inputs["clean_latents_2x"], inputs["clean_latent_2x_indices"] = frames("clean_2x", 2)
    inputs["clean_latents_4x"], inputs["clean_latent_4x_indices"] = frames("clean_4x", 16)
    save_file(inputs, output)


def load_inputs(path, dtype, device):
    """By diffusers' argument names."""
    inputs = arguments.renamed(arguments.cast(load_file(path), dtype))
    return {name: tensor.to(device) for name, tensor in inputs.items()}
