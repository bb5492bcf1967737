"""The latents that bench/quality/vae.py decodes, and how far decodes of them are from one pass."""

import json

import numpy as np
from safetensors.numpy import load_file, save_file

from decoders import reference
from measures import flicker, psnr, ssim, steps, worst_psnr

MOVES = [("zoom", "astronaut.jpg"), ("pan", "ball-and-star.png")]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)[:, None, None, None]


def camera_moves(args, side_px, folder):
    """Name and latents' files of the moves at one size."""
    files = []
    for move, picture in MOVES:
        files.append(folder / f"{move}-{side_px}.safetensors")
        arguments = {
            "--model": args.vae, "--picture": args.inputs / picture, "--move": move, "--size": side_px,
            "--frames": args.frames, "--output": files[-1], "--device": args.device,
        }  # fmt: skip
        reference("encode", arguments)
    return f"{side_px}x{side_px} px", files


def job_latents(args, path, number, folder):
    """A job's latents, which are scaled, as the VAE takes them."""
    scaling_factor = json.loads((args.vae / "config.json").read_text())["scaling_factor"]
    latents = load_file(path)["latents"].astype(np.float32) / np.float32(scaling_factor)
    file = folder / f"job-{number}.safetensors"
    save_file({"latents": np.ascontiguousarray(latents)}, file)
    return f"{path.parent.name}/{path.name}", [file]


def pixels(path):
    """RGB in 0 to 1, (3, frames, height, width)."""
    return np.clip(load_file(path)["sample"][0] / 2 + 0.5, 0, 1)


class Group:
    """Videos of one size, and their single pass."""

    def __init__(self, name, latents, whole):
        self.name, self.latents = name, latents
        shape = load_file(latents[0])["latents"].shape
        self.latent_frames, self.size_px = shape[2], [side * 8 for side in shape[3:]]
        self.whole = [pixels(path) for path in whole]

    def compared(self, decode):
        """What a decode's files are, each against its single pass."""
        found = [self._one(pixels(path), whole, decode) for path, whole in zip(decode.files, self.whole)]
        figures = {"psnr": np.mean, "ssim": np.mean, "worst": min, "flicker": max, "worst_flicker": max}
        return {
            name: None if None in (values := [one[name] for one in found]) else summed(values)
            for name, summed in figures.items()
        }

    def _one(self, ours, whole, decode):
        """`decode.positions` says which frames of the single pass ours are."""
        if ours.shape[1] != len(decode.positions):
            raise ValueError(f"{ours.shape[1]} frames instead of {len(decode.positions)}")
        positions = np.array(decode.positions)
        seams = np.zeros(len(positions) - 1, bool)
        seams[[frame - 1 for frame in decode.seams]] = True
        expected = steps(whole.swapaxes(0, 1))[positions[1:] - 1]
        average, worst = flicker(steps(ours.swapaxes(0, 1)), expected, seams)
        same = whole[:, positions]
        return {
            "psnr": psnr(ours, same),
            "ssim": ssim((ours * LUMA).sum(0), (same * LUMA).sum(0)),
            "worst": worst_psnr(ours.swapaxes(0, 1), same.swapaxes(0, 1)),
            "flicker": average,
            "worst_flicker": worst,
        }
