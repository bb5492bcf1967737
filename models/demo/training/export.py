"""Writes the trained weights as a bundle in the Hub's layout, every component loadable by its reference class."""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, LlamaModel, SiglipVisionModel

from half_range import fit_half_range
from networks import FramePack, IMAGE_SIZE, build_vae
from prompt import Prompts

STEPS = 10
PHOTO = Path(__file__).resolve().parents[3] / "jobs/examples/inputs/astronaut.jpg"


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def export_encoder(folder, config, state, architecture, prefix=""):
    """Weights in bf16 under the Hub's key names, and the config that transformers wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {prefix + k: v.to(torch.bfloat16).contiguous() for k, v in state.items()}
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    write_json(folder / "config.json", {**config.to_diff_dict(), "architectures": [architecture], "dtype": "bfloat16"})


def zoom(photo, frames, size):
    """A camera that moves into a photograph: pixels in [-1, 1], [1, 3, frames, size, size]."""
    image = Image.open(photo).convert("RGB")
    crops = (image.resize((size, size), box=(4 * f, 2 * f, image.width - 6 * f, image.height - 8 * f)) for f in range(frames))
    pixels = torch.from_numpy(np.stack([np.asarray(crop) for crop in crops]))  # [F, H, W, 3]
    return pixels.permute(3, 0, 1, 2)[None].float() / 127.5 - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="+", required=True)
    parser.add_argument("--bundle", type=Path, required=True, help="already holds the tokenizers")
    args = parser.parse_args()
    prompts = Prompts(args.bundle)
    model = FramePack(prompts.llama.get_vocab_size(), len(prompts.clip))
    model.load_state_dict({k: v.float() for f in args.weights for k, v in load_file(f).items()})
    model.transformer.to(torch.bfloat16).save_pretrained(args.bundle / "transformer", max_shard_size="12MB")
    vae = build_vae()
    vae.load_state_dict(load_file(args.vae))
    fit_half_range(vae, zoom(PHOTO, frames=17, size=128))
    vae.half().save_pretrained(args.bundle / "vae")
    export_encoder(args.bundle / "text_encoder", model.llama.config, model.llama.state_dict(), LlamaModel.__name__)
    export_encoder(args.bundle / "text_encoder_2", model.clip.config, model.clip.state_dict(), CLIPTextModel.__name__,
                   "text_model.")
    export_encoder(args.bundle / "image_encoder", model.siglip.config, model.siglip.state_dict(), SiglipVisionModel.__name__,
                   "vision_model.")
    write_json(args.bundle / "feature_extractor" / "preprocessor_config.json", {
        "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
        "image_processor_type": "SiglipImageProcessor", "resample": 3, "rescale_factor": 0.00392156862745098,
        "size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE}})
    write_json(args.bundle / "framepack.json", {"default_bucket": 128, "latent_window": 9, "steps": STEPS,
                                               "renders_f1": True})


if __name__ == "__main__":
    main()
