"""The causal VAE: temporal tiles always, spatial tiles on request."""

from __future__ import annotations

import torch
from torch import nn

import bundles
from bundles import Layout
from draw import Draw
from store import Store, Tensors, Tolerance

ENCODE = Tolerance(max_abs=2e-5, rel_l2=1e-5)
DECODE = Tolerance(max_abs=5e-5, rel_l2=1e-5)
HALF = Tolerance(max_abs=None, rel_l2=1e-2)


def write(store: Store, draw: Draw) -> None:
    deep = bundles.vae(draw, block_out_channels=(4, 8, 8, 8), layers_per_block=2, norm_num_groups=2)
    bundles.save(deep, store.root / "models/vae-sharded", Layout(dtype=torch.float16, shard_bytes=100_000))
    plain = bundles.vae(draw, norm_num_groups=draw.pick(4, (2, 4, 8)))
    bundles.save(plain, store.root / "models/vae", Layout(dtype=torch.float16))
    models = {"models/vae": plain, "models/vae-sharded": deep}
    _decode_cases(store, draw, models)
    _encode_cases(store, draw, models)


def _decode_cases(store: Store, draw: Draw, models: dict[str, nn.Module]) -> None:
    # Latent (frames, height, width); the number of frames decides the temporal tiles.
    sizes = {1: (3, 5), 4: (2, 3), 5: (2, 3), 9: (2, 3), 10: (2, 2), 18: (1, 2), 19: (2, 1)}
    for i, (frames, size) in enumerate(sizes.items()):
        height, width = (draw.pick(n, (1, 2, 3, 5)) for n in size)
        directory = list(models)[i % 2]
        latents = draw.normal(1, 16, frames, height, width)
        expected = decode(models[directory], latents)
        case = store.forward(f"vae-decode/{frames}-latents", directory, {"latents": latents}, expected, DECODE)
        if frames == 5:
            store.again(case, "f16", HALF, ["--dtype", "f16"])
            store.again(case, "tiling-unused", DECODE, ["--tiling"])

    for name, (frames, height, width), stride in [
        ("tiled-2d", (1, 26, 40), [1, 1, 1, 3, 5]),
        ("tiled-3d", (5, 34, draw.pick(20, (20, 33))), [1, 1, 4, 5, 5]),
    ]:
        latents = draw.normal(1, 16, frames, height, width).half()
        expected = decode(models["models/vae"], latents.float(), tiling=True)
        store.forward(
            f"vae-decode/{name}",
            "models/vae",
            {"latents": latents},
            expected,
            DECODE,
            flags=["--tiling"],
            stride={} if draw.live else {"sample": stride},
        )


def _encode_cases(store: Store, draw: Draw, models: dict[str, nn.Module]) -> None:
    for i, frames in enumerate((1, 5, 12, 13, 16, 17, 29, 33)):
        height, width = (8 * draw.pick(n, (1, 2, 3)) for n in ((3, 4) if frames == 1 else (2, 1)))
        directory = list(models)[i % 2]
        # Stored in half precision and cast, which loses nothing here: the values are what the file says.
        pixels = draw.uniform(1, 3, frames, height, width).half()
        expected = encode(models[directory], pixels.float())
        store.forward(f"vae-encode/{frames}-frames", directory, {"pixels": pixels}, expected, ENCODE)
    frames = draw.pick(1, (1, 5, 17))
    pixels = draw.uniform(1, 3, frames, 264, 16).half()
    expected = encode(models["models/vae"], pixels.float(), tiling=True)
    store.forward("vae-encode/tiled", "models/vae", {"pixels": pixels}, expected, ENCODE, flags=["--tiling"])


@torch.no_grad()
def decode(model: nn.Module, latents: torch.Tensor, tiling: bool = False) -> Tensors:
    model.use_tiling = tiling
    return {"sample": model.decode(latents).sample}


@torch.no_grad()
def encode(model: nn.Module, pixels: torch.Tensor, tiling: bool = False) -> Tensors:
    """Mean and log variance; a sample would need noise that the original never seeds."""
    model.use_tiling = tiling
    posterior = model.encode(pixels).latent_dist
    return {"mean": posterior.mean, "logvar": posterior.logvar}
