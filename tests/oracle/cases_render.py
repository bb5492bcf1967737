"""A complete tiny bundle, and everything that is tested with it: tokens, images, sections, whole videos."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import bundles
import images
import pipeline
import sections
import text
from bundles import Layout
from draw import Draw
from pipeline import Bundle, Settings
from sampler import Guidance
from store import Store, Tensors, strided, write_json, write_tensors

# Sections build on each other, so rounding grows with every one of them.
TOLERANCE = {"max_abs": 2e-3, "rel_l2": 2e-4, "frames_max_abs": 1}
FRAME_STRIDE = [1, 1, 1, 4, 4]
PREPROCESSOR = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "SiglipImageProcessor",
    "image_std": [0.5, 0.5, 0.5],
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 42, "width": 42},
}


def write(store: Store, draw: Draw) -> None:
    bundle = make_bundle(store.root.parent / "bundle", draw)
    _tokens(store, draw, bundle)
    photos = _images(store, draw, bundle)
    # No command draws a job's noise; `cases_video` compares the loops themselves live.
    if not draw.live:
        _sections(store, draw, bundle)
        _videos(store, draw, bundle, photos)


def make_bundle(directory: Path, draw: Draw) -> Bundle:
    """Every component and tokenizer in the Hub's layout, with sizes that fit each other."""
    text.train_llama(directory / "tokenizer")
    text.train_clip(directory / "tokenizer_2")
    words = len(text.SlowClip(directory / "tokenizer_2").vocabulary)
    bundle = Bundle(
        directory,
        transformer=bundles.transformer(
            draw,
            attention_head_dim=12,
            rope_axes_dim=(4, 4, 4),
            text_embed_dim=32,
            pooled_projection_dim=16,
            image_proj_dim=16,
        ),
        vae=bundles.vae(draw, block_out_channels=(4, 8, 8, 8), norm_num_groups=2),
        llama=bundles.llama(draw, vocab_size=400, num_hidden_layers=4, bos_token_id=392),
        clip=bundles.clip(draw, hidden_size=16, intermediate_size=32, num_hidden_layers=1, vocab_size=words),
        siglip=bundles.siglip(draw, hidden_size=16, num_hidden_layers=1),
    )
    bf16, f16 = torch.bfloat16, torch.float16
    parts = [
        ("transformer", bundle.transformer, Layout(bf16, class_name="HunyuanVideoTransformer3DModelPacked")),
        ("vae", bundle.vae, Layout(f16)),
        ("text_encoder", bundle.llama, Layout(f16, legacy=True)),
        ("text_encoder_2", bundle.clip, Layout(f16, prefix="text_model.", legacy=True)),
        ("image_encoder", bundle.siglip, Layout(bf16, prefix="vision_model.", legacy=True)),
    ]
    for name, module, layout in parts:
        bundles.save(module, directory / name, layout)
    write_json(directory / "feature_extractor/preprocessor_config.json", PREPROCESSOR)
    write_json(directory / "framepack.json", {"default_bucket": 128, "latent_window": 9, "steps": 3, "renders_f1": True})
    return bundle


def _tokens(store: Store, draw: Draw, bundle: Bundle) -> None:
    tokenizer, clip = bundle.directory / "tokenizer", text.SlowClip(bundle.directory / "tokenizer_2")
    bare = store.root / "models/tokenizer-without-bos"
    text.without_post_processor(tokenizer, bare / "tokenizer")
    (bare / "tokenizer_2").mkdir(exist_ok=True)
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (bare / "tokenizer_2" / name).write_bytes((bundle.directory / "tokenizer_2" / name).read_bytes())
    prefix = text.llama_prefix(tokenizer)
    prompts = (
        text.PROMPTS + text.UNSEEN_PROMPTS + [text.random_prompt(draw.random) for _ in range(10 if draw.live else 0)]
    )
    for prompt in prompts:
        ids = {"llama": text.llama_ids(tokenizer, prompt), "clip": clip.ids(prompt)}
        # NUL cannot be passed on a command line.
        for directory in ["../bundle", "models/tokenizer-without-bos"] if "\0" not in prompt else []:
            store.commands["tokenize"].append({"model": directory, "text": prompt, "prefix": prefix, **ids})


def _images(store: Store, draw: Draw, bundle: Bundle) -> list[Path]:
    """Photos, and the SHA-256 of the RGB bytes that each bucket makes of them."""
    photos = []
    sizes = [(50, 70), (64, 40), (48, 48), (33, 101)]
    if draw.live:
        sizes = [tuple(draw.integers(20, 300, 2)) for _ in sizes]
    for i, size in enumerate(sizes):
        path = store.root / f"preprocess/{size[0]}x{size[1]}.png"
        path.parent.mkdir(exist_ok=True)
        images.photo_like(*size, seed=100 + i + draw.integers(0, 1000, 1)[0]).save(path, optimize=True)
        photos.append(path)
        for bucket in (128, 256, 384, 512, 640, 768):
            result = images.preprocess(Image.open(path), bucket)
            store.commands["preprocess"].append(
                {
                    "image": str(path.relative_to(store.root)),
                    "bucket": bucket,
                    "height": result.height,
                    "width": result.width,
                    "sha256": hashlib.sha256(result.tobytes()).hexdigest(),
                }
            )
    cropped = images.preprocess(Image.open(photos[0]), 128)
    pixels = pipeline.siglip_pixels(bundle.directory / "feature_extractor", cropped)
    siglip = {"image": torch.from_numpy(np.array(cropped)), "pixel_values": pixels}
    store.numbers("siglip.safetensors", "SigLIP's input for RGB bytes [H,W,3], with the bundle's processor", siglip)
    return photos


def _sections(store: Store, draw: Draw, bundle: Bundle) -> None:
    """Both loops from given tensors, for one, two and five sections, and once with a negative prompt."""
    height, width = draw.pick(4, (4, 6, 8)), draw.pick(6, (4, 6, 10))
    config = bundle.transformer.config
    start = draw.normal(1, 16, 1, height, width)

    def prompt(valid: int) -> Tensors:
        return {
            "encoder_hidden_states": draw.normal(1, 8, config.text_embed_dim),
            "encoder_attention_mask": (torch.arange(8) < valid)[None],
            "pooled_projections": draw.normal(1, config.pooled_projection_dim),
        }

    image = {"image_embeddings": draw.normal(1, 9, config.image_proj_dim)}
    positive, negative = prompt(5), prompt(3)
    inputs = {"start_latent": start, **image, **positive, **{f"negative_{k}": v for k, v in negative.items()}}
    write_tensors(store.root / "sections/inputs.safetensors", inputs)
    for order in ("backward", "forward"):
        for count in (1, 2, 5):
            settings = Settings(order, count, draw.pick(31337, range(9999)), 3, Guidance())
            _section_case(store, bundle, f"{order}-{count}", settings, start, image | positive, negative)
    guided = Settings("backward", 1, 7, 3, Guidance(distilled=6.0, cfg=1.5, rescale=0.7))
    _section_case(store, bundle, "guided", guided, start, image | positive, negative)


def _section_case(
    store: Store,
    bundle: Bundle,
    name: str,
    settings: Settings,
    start: torch.Tensor,
    positive: Tensors,
    negative: Tensors,
) -> None:
    video = pipeline.generate(bundle.transformer, bundle.vae, settings, start, positive, negative)
    expected = {f"section_{i}": latents for i, latents in enumerate(video.generated)}
    expected["frames"] = strided(sections.to_u8(video.pixels), FRAME_STRIDE)
    write_tensors(store.root / f"sections/{name}.expected.safetensors", expected)
    store.commands["sections"].append(
        {
            "name": f"sections/{name}",
            "model": "../bundle",
            "inputs": "sections/inputs.safetensors",
            "expected": f"sections/{name}.expected.safetensors",
            "stride": {"frames": FRAME_STRIDE},
            "tolerance": TOLERANCE,
            **asdict(settings),
        }
    )


def _videos(store: Store, draw: Draw, bundle: Bundle, photos: list[Path]) -> None:
    """From a photo and a prompt to frames, with what each stage on the way gives."""
    for order, count, photo, prompt in [("backward", 1, photos[0], text.DANCER), ("forward", 2, photos[2], "A cat")]:
        image, words = bundle.encode_image(Image.open(photo), 128), bundle.encode_prompt(prompt)
        start = image.pop("start_latent")
        settings = Settings(order, count, draw.pick(2024, range(9999)), 2, Guidance())
        video = pipeline.generate(bundle.transformer, bundle.vae, settings, start, image | words, words)
        valid = int(words.pop("encoder_attention_mask").sum())
        words["encoder_hidden_states"] = words["encoder_hidden_states"][:, :valid]
        expected = {"start_latent": start, **image, **words, "latents": video.latents[..., ::2, ::2]}
        expected["frames"] = strided(sections.to_u8(video.pixels), [1, 1, 4, 4, 4])
        name = f"{order}-{count}"
        write_tensors(store.root / f"video/{name}.expected.safetensors", expected)
        store.commands["video"].append(
            {
                "name": f"video/{name}",
                "model": "../bundle",
                "image": str(photo.relative_to(store.root)),
                "prompt": prompt,
                "bucket": 128,
                "expected": f"video/{name}.expected.safetensors",
                "stride": {"latents": [1, 1, 1, 2, 2], "frames": [1, 1, 4, 4, 4]},
                "tolerance": TOLERANCE,
                **asdict(settings),
            }
        )
