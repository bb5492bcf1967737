"""Tiny random models of every component, saved the way the Hub has them.

The same module computes the expected outputs, so its weights are first rounded to the dtype in which
the file keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from diffusers import AutoencoderKLHunyuanVideo, HunyuanVideoFramepackTransformer3DModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, LlamaConfig, LlamaModel, SiglipVisionConfig, SiglipVisionModel

from draw import Draw
from store import Tensors, write_json, write_tensors


@dataclass(frozen=True)
class Layout:
    """How a checkpoint is laid out on disk; the numbers in it stay the same."""

    dtype: torch.dtype = torch.float32
    shard_bytes: int | None = None
    prefix: str = ""
    class_name: str | None = None
    # Names of config keys and files before transformers 5.
    legacy: bool = False
    without: tuple[str, ...] = ()
    extra: Tensors = field(default_factory=dict)


def transformer(draw: Draw, **config: object) -> nn.Module:
    defaults = {
        "in_channels": 16,
        "out_channels": 16,
        "num_attention_heads": 2,
        "attention_head_dim": 16,
        "num_layers": 2,
        "num_single_layers": 2,
        "num_refiner_layers": 2,
        "text_embed_dim": 24,
        "pooled_projection_dim": 12,
        "rope_axes_dim": (4, 6, 6),
        "has_image_proj": True,
        "image_proj_dim": 20,
        "has_clean_x_embedder": True,
    }
    return randomise(HunyuanVideoFramepackTransformer3DModel(**{**defaults, **config}), draw)


def vae(draw: Draw, **config: object) -> nn.Module:
    defaults = {"block_out_channels": (8, 8, 16, 16), "layers_per_block": 1, "norm_num_groups": 4}
    return randomise(AutoencoderKLHunyuanVideo(**{**defaults, **config}), draw)


def llama(draw: Draw, **config: object) -> nn.Module:
    defaults = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 5,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 200,
        "rms_norm_eps": 1e-5,
        "rope_theta": 500000.0,
        "max_position_embeddings": 512,
        "pad_token_id": None,
    }
    return randomise(LlamaModel(LlamaConfig(**{**defaults, **config})), draw)


def clip(draw: Draw, **config: object) -> nn.Module:
    defaults = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "vocab_size": 99,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 1,
        "projection_dim": 32,
    }
    return randomise(CLIPTextModel(CLIPTextConfig(**{**defaults, **config})), draw)


def siglip(draw: Draw, **config: object) -> nn.Module:
    defaults = {
        "hidden_size": 32,
        "intermediate_size": 40,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": 42,
        "patch_size": 14,
    }
    return randomise(SiglipVisionModel(SiglipVisionConfig(**{**defaults, **config})), draw)


def randomise(module: nn.Module, draw: Draw) -> nn.Module:
    """Weights large enough that every path of the model shows in its output, which stays of order one."""
    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            noise = draw.normal(*parameter.shape)
            if name.endswith("bias"):
                parameter.copy_(0.1 * noise)
            elif parameter.ndim == 1:
                parameter.copy_(1 + 0.1 * noise)
            elif "embedding.weight" in name or "embed_tokens" in name:
                parameter.copy_(0.5 * noise if "patch" not in name else noise / parameter[0].numel() ** 0.5)
            else:
                parameter.copy_(0.9 * noise / parameter[0].numel() ** 0.5)
    return module.eval().requires_grad_(False)


def save(module: nn.Module, directory: Path, layout: Layout) -> None:
    """Write `config.json` and the weights; rounds the module's weights to the file's dtype."""
    for parameter in module.parameters():
        parameter.data = parameter.data.to(layout.dtype).float()
    kept = {key: value for key, value in module.state_dict().items() if not key.startswith(layout.without or "\0")}
    tensors = {layout.prefix + key: value.to(layout.dtype) for key, value in kept.items()}
    is_diffusers = hasattr(module, "config_name")
    base = "diffusion_pytorch_model" if is_diffusers else "model"
    write_json(
        directory / "config.json", _diffusers_config(module, layout) if is_diffusers else _config(module, layout)
    )
    _write_weights(directory, base, {**tensors, **layout.extra}, layout.shard_bytes)


def _write_weights(directory: Path, base: str, tensors: Tensors, shard_bytes: int | None) -> None:
    if shard_bytes is None:
        write_tensors(directory / f"{base}.safetensors", tensors)
        return
    shards: list[Tensors] = [{}]
    for name, tensor in tensors.items():
        if shards[-1] and sum(t.nbytes for t in shards[-1].values()) + tensor.nbytes > shard_bytes:
            shards.append({})
        shards[-1][name] = tensor
    files = [f"{base}-{i + 1:05}-of-{len(shards):05}.safetensors" for i in range(len(shards))]
    for file, shard in zip(files, shards):
        write_tensors(directory / file, shard)
    weight_map = {name: file for file, shard in zip(files, shards) for name in shard}
    index = {"metadata": {"total_size": sum(t.nbytes for t in tensors.values())}, "weight_map": weight_map}
    write_json(directory / f"{base}.safetensors.index.json", index)


def _diffusers_config(module: nn.Module, layout: Layout) -> dict:
    config = {key: value for key, value in module.config.items() if not key.startswith("_")}
    class_name = layout.class_name or type(module).__name__
    return {"_class_name": class_name, "_diffusers_version": "0.42.1", **config}


def _config(module: nn.Module, layout: Layout) -> dict:
    config = module.config.to_dict() | {"architectures": [type(module).__name__]}
    config = {key: value for key, value in config.items() if key not in ("id2label", "label2id", "_name_or_path")}
    config["dtype"] = str(layout.dtype).removeprefix("torch.")
    if layout.legacy:
        config["torch_dtype"] = config.pop("dtype")
        config.pop("head_dim", None)
        if rope := config.pop("rope_parameters", None):
            config["rope_theta"], config["rope_scaling"] = rope["rope_theta"], None
    return config
