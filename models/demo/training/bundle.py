"""A bundle's modules through the reference classes, as `export.py` wrote them: of any size, for evaluation and pictures."""

import torch
from diffusers import AutoencoderKLHunyuanVideo, HunyuanVideoFramepackTransformer3DModel
from safetensors.torch import load_file

from fast_attention import use_fast_attention
from fast_vae import use_fast_vae
from generate import Generator
from networks import FramePack
from prompt import Prompts

ENCODERS = {"llama": ("text_encoder", ""), "clip": ("text_encoder_2", "text_model."), "siglip": ("image_encoder", "vision_model.")}


def weights(folder):
    """Everything but the VAE under the names of `FramePack`, in fp32."""
    found = {f"transformer.{k}": v for file in sorted((folder / "transformer").glob("*.safetensors")) for k, v in load_file(file).items()}
    for name, (part, prefix) in ENCODERS.items():
        values = load_file(folder / part / "model.safetensors")
        found |= {f"{name}.{k.removeprefix(prefix)}": v for k, v in values.items()}
    return {k: v.float() for k, v in found.items()}


def load(folder, device, steps):
    """A generator with the bundle's weights."""
    use_fast_vae()
    dtype = torch.bfloat16 if str(device).startswith("cuda") else torch.float32
    prompts = Prompts(folder)
    model = FramePack(prompts.llama.get_vocab_size(), len(prompts.clip))
    model.transformer = HunyuanVideoFramepackTransformer3DModel.from_pretrained(folder / "transformer")
    model.load_state_dict(weights(folder))
    model = model.to(device).eval()
    for p in model.parameters():
        p.data = p.data.to(dtype)
    use_fast_attention(model.transformer)
    vae = AutoencoderKLHunyuanVideo.from_pretrained(folder / "vae").to(device, dtype).eval()
    return Generator(model, vae, prompts, steps)
