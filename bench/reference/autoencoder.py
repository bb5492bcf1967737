"""The reference side of the VAE's benchmarks: diffusers' AutoencoderKLHunyuanVideo on the same weights.

It prints one JSON object a way of decoding: `whole` (one pass), `framewise` (diffusers' default), `compiled` (the same
with the decoder through torch.compile), `tiled` (framewise, and tiles in space), `chunkedN` (pieces of N latent frames,
each on its own, and joined: the Python application's), `encode` (no decoding: one picture of the size is encoded).
Peaks are, on a CPU, resident memory above what a tiny decoding takes, and on CUDA all that the process had there.
"""

import ctypes
import gc
import importlib.metadata
import json
import statistics
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from commands import Commands
from forward import save_sample, timed
from synthesis import synthesised_vae

GIB = 2**30
BICUBIC = 3  # Pillow's number


def describe(device):
    """The machine, as one JSON object."""
    facts = {"torch": torch.__version__, "diffusers": importlib.metadata.version("diffusers")}
    if device.startswith("cuda"):
        properties = torch.cuda.get_device_properties(device)
        facts |= {"gpu": properties.name, "gpu_bytes": properties.total_memory}
    report(facts)


@torch.no_grad()
def encode(model, picture, move, size, frames, output, device):
    """Latents of a camera's move over a picture: the posterior's mean, unscaled, of one pass over all frames."""
    from PIL import Image

    vae = opened(model, torch.float32, torch.device(device))
    vae.use_framewise_encoding = False
    video = camera(Image.open(picture).convert("RGB"), move, size, frames).to(device)
    mean = vae.encode(video).latent_dist.mean
    save_file({"latents": mean.cpu().contiguous()}, output)


def camera(picture, move, side, frames):
    """Pixels in -1 to 1, (1, 3, frames, side, side), of a square window that zooms in or pans to the right."""
    width, height = picture.size
    square = min(width, height)
    views = []
    for number in range(frames):
        done = number / (frames - 1)
        view = square * (1 - 0.4 * done if move == "zoom" else 0.7)
        left = (width - view) * (0.5 if move == "zoom" else done)
        top = (height - view) / 2
        box = (left, top, left + view, top + view)
        data = picture.resize((side, side), BICUBIC, box=box).tobytes()
        views.append(torch.frombuffer(bytearray(data), dtype=torch.uint8).view(side, side, 3))
    return torch.stack(views).permute(3, 0, 1, 2)[None].float() / 127.5 - 1


@torch.no_grad()
def decode(model, latents, ways, output, dtype, device, runs):
    """Decodes files of unscaled latents in each way (both separated by commas); measures the first, --runs times."""
    device, dtype = torch.device(device), getattr(torch, dtype)
    vae = opened(model, dtype, device)
    files = {Path(path).stem: load_file(path)["latents"].to(device, dtype) for path in latents.split(",")}
    for way in ways.split(","):
        measured = measure(vae, next(iter(files.values())), way, runs) if runs else {}
        if "error" not in measured:
            for name, file in files.items():
                save_sample(decoded(vae, file, way), Path(output) / f"{name}-{way}.safetensors")
        report({"way": way} | measured)


@torch.no_grad()
def bench(model, size, latent_frames, ways, dtype, device, runs, card_gib):
    """Decodes random latents on a card of so many GiB, its context included (0: the whole card)."""
    device, dtype = torch.device(device), getattr(torch, dtype)
    vae = opened(model, dtype, device)
    height, width = (int(side) // 8 for side in size.split("x"))
    shape = (1, vae.config.latent_channels, latent_frames, height, width)
    latents = torch.randn(shape, device=device, dtype=dtype)
    ballast = held_back(device, card_gib) if card_gib else None
    for way in ways.split(","):
        report({"way": way} | measure(vae, latents, way, runs, 0 if ballast is None else ballast.nbytes))


def opened(model, dtype, device):
    """Of a folder or of random:SEED:CONFIGDIR."""
    from diffusers import AutoencoderKLHunyuanVideo

    if model.startswith("random:"):
        _, seed, config = model.split(":", 2)
        return synthesised_vae(config, seed, dtype, device)
    vae = AutoencoderKLHunyuanVideo.from_pretrained(model, torch_dtype=dtype, low_cpu_mem_usage=False)
    return vae.to(device).eval()


def decoded(vae, latents, way):
    if way == "encode":
        height, width = (side * 8 for side in latents.shape[-2:])
        picture = torch.zeros(1, 3, 1, height, width, device=latents.device, dtype=latents.dtype)
        return vae.encode(picture).latent_dist.mean
    if way == "compiled" and not hasattr(vae.decoder, "_orig_mod"):
        vae.decoder = torch.compile(vae.decoder)
    vae.use_framewise_decoding = way != "whole"
    vae.use_tiling = way == "tiled"
    if way.startswith("chunked"):
        chunk = int(way.removeprefix("chunked"))
        pieces = latents.split(chunk, dim=2)
        return torch.cat([vae.decode(piece).sample.cpu() for piece in pieces], dim=2)
    return vae.decode(latents).sample


def measure(vae, latents, way, runs, ballast_bytes=0):
    """Median seconds after a decoding that isn't counted, and the peak of memory; or what went wrong."""
    device = latents.device
    try:
        forget_peak(device)
        if way != "compiled":  # every shape is compiled anew
            decoded(vae, latents[:, :, :1, :2, :2], way)
        tiny_bytes = resident_bytes()
        runs_secs = [timed(device, lambda: decoded(vae, latents, way).size())[0] for _ in range(runs + 1)]
        peak_bytes = resident_bytes() - tiny_bytes
        if device.type == "cuda":
            peak_bytes = device_bytes(device) - ballast_bytes
    except torch.OutOfMemoryError as error:
        return {"error": str(error).split(". ")[0]}
    return {"decode_secs": statistics.median_low(runs_secs[1:]), "measured_peak_bytes": peak_bytes}


def forget_peak(device):
    """What an earlier decoding left goes back, and the count of the most memory begins anew."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def held_back(device, card_gib):
    """Memory that isn't there on a card of that size."""
    torch.cuda.empty_cache()
    ballast_bytes = torch.cuda.mem_get_info(device)[1] - int(card_gib * GIB)
    return torch.empty(ballast_bytes, dtype=torch.uint8, device=device)


def device_bytes(device):
    """The most that this process had on the device: context, libraries, and what torch had from the driver."""
    free_bytes, total_bytes = torch.cuda.mem_get_info(device)
    libraries_bytes = total_bytes - free_bytes - torch.cuda.memory_reserved(device)
    return libraries_bytes + torch.cuda.max_memory_reserved(device)


def resident_bytes():
    """The most that this process had resident since the peak was forgotten."""
    status = Path("/proc/self/status").read_text().splitlines()
    kib = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(kib) * 1024


def report(facts):
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    cli = Commands(__doc__)
    of_model = {"model": None, "ways": None, "device": "cpu", "runs": 1}
    cli.command(describe, device="cpu")
    cli.command(encode, model=None, picture=None, move=None, size=192, frames=69, output=None, device="cpu")
    cli.command(decode, **of_model, latents=None, output=None, dtype="float32")
    cli.command(bench, **of_model, size="608x640", latent_frames=9, dtype="float16", card_gib=0.0)
    cli.run()
