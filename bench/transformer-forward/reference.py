"""The reference side of this benchmark: diffusers' HunyuanVideoFramepackTransformer3DModel on the same weights.

The weights are those that `framepack-worker --model random:SEED:CONFIGDIR` makes (engine/src/weights/synthesis.rs),
computed here with the same integer hash, so that no file of 26 GB has to travel.
"""

import argparse
import hashlib
import json
import math
import statistics
import struct
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

CHUNK = 1 << 22

# Argument names: FramePack's, diffusers'.
RENAMED = {
    "latent_indices": "indices_latents",
    "clean_latents": "latents_clean",
    "clean_latent_indices": "indices_latents_clean",
    "clean_latents_2x": "latents_history_2x",
    "clean_latent_2x_indices": "indices_latents_history_2x",
    "clean_latents_4x": "latents_history_4x",
    "clean_latent_4x_indices": "indices_latents_history_4x",
    "image_embeddings": "image_embeds",
}


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


def synthesised_model(config_dir, seed, dtype, device):
    from diffusers import HunyuanVideoFramepackTransformer3DModel

    config = json.loads((Path(config_dir) / "config.json").read_text())
    with torch.device("meta"):
        model = HunyuanVideoFramepackTransformer3DModel.from_config(config)
    model = model.to(dtype).to_empty(device=device).eval()
    for name, parameter in model.state_dict().items():
        fill(seed, name, parameter)
    # FramePack's `high_quality_fp32_output_for_inference`.
    model.proj_out.float()
    model.proj_out.register_forward_pre_hook(lambda _, args: (args[0].float(),))
    return model


def write_inputs(args):
    """Random arguments in the sizes of a section of FramePack; floats hold bf16 values."""
    config = json.loads((Path(args.config) / "config.json").read_text())
    height, width = (int(side) // 8 for side in args.size.split("x"))
    generator = torch.Generator().manual_seed(args.seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator).bfloat16()

    def frames(first, count):
        return normal(1, config["in_channels"], count, height, width), torch.arange(first, first + count)[None]

    inputs = {
        "timestep": torch.tensor([872.0]),
        "guidance": torch.tensor([9984.0]),
        "encoder_hidden_states": normal(1, 512, config["text_embed_dim"]),
        "encoder_attention_mask": (torch.arange(512) < args.text_tokens)[None].to(torch.uint8),
        "pooled_projections": normal(1, config["pooled_projection_dim"]),
        "image_embeddings": normal(1, 729, config["image_proj_dim"]),
    }
    inputs["hidden_states"], inputs["latent_indices"] = frames(1, 9)
    inputs["clean_latents"], inputs["clean_latent_indices"] = frames(0, 2)
    inputs["clean_latents_2x"], inputs["clean_latent_2x_indices"] = frames(11, 2)
    inputs["clean_latents_4x"], inputs["clean_latent_4x_indices"] = frames(13, 16)
    save_file(inputs, args.output)


def load_inputs(path, dtype, device):
    inputs = {}
    for name, tensor in load_file(path).items():
        if name.endswith("indices"):
            tensor = tensor[0]
        elif name == "encoder_attention_mask":
            tensor = tensor.to(dtype)
        elif name not in ("timestep", "guidance"):
            tensor = tensor.to(dtype)
        inputs[RENAMED.get(name, name)] = tensor.to(device)
    return inputs


def measure(args):
    """One forward: seconds, peak memory, and its result."""
    device, dtype = torch.device(args.device), getattr(torch, args.dtype)
    on_cuda = device.type == "cuda"

    def timed(work):
        if on_cuda:
            torch.cuda.synchronize()
        start = time.perf_counter()
        result = work()
        if on_cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - start, result

    load_secs, model = timed(lambda: synthesised_model(args.config, args.seed, dtype, device))
    inputs = load_inputs(args.inputs, dtype, device)
    with torch.inference_mode():
        sample = model(**inputs).sample
        if on_cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        runs_secs = []
        for _ in range(args.runs):
            secs, sample = timed(lambda: model(**inputs).sample)
            runs_secs.append(secs)
    save_file({"sample": sample.float().cpu().contiguous()}, args.output)
    measurement = {
        "load_secs": load_secs,
        "forward_secs": statistics.median_low(runs_secs),
        "runs_secs": runs_secs,
        "peak_bytes": torch.cuda.max_memory_allocated() if on_cuda else None,
    }
    print(json.dumps(measurement))


def rel_l2(a, b):
    a, b = (load_file(path)["sample"].double() for path in (a, b))
    return ((a - b).norm() / b.norm()).item()


def shrink(args):
    """Writes the configuration with one block of each kind."""
    config = json.loads((Path(args.config) / "config.json").read_text())
    Path(args.output).mkdir(parents=True, exist_ok=True)
    config.update(num_layers=1, num_single_layers=1)
    (Path(args.output) / "config.json").write_text(json.dumps(config, indent=2))


def table(args):
    """Prints what the files of one run say; what is missing shows as a dash."""
    out = Path(args.output)

    def measured(name):
        path = out / f"{name}.json"
        text = path.read_text().strip() if path.exists() else ""
        return json.loads(text.splitlines()[-1]) if text else {}

    def compared(a, b):
        paths = [out / f"{name}.safetensors" for name in (a, b)]
        return f"{rel_l2(*paths):.3e}" if all(path.exists() for path in paths) else "-"

    def cell(value, scale, digits):
        return "-" if value is None else f"{value / scale:.{digits}f}"

    print(f"{'':12} {'load s':>8} {'forward s':>10} {'peak GiB':>9}")
    for label, name in (("framepackd", "ours"), ("diffusers", "reference")):
        m = measured(name)
        peak = cell(m.get("peak_bytes"), 2**30, 2)
        print(f"{label:12} {cell(m.get('load_secs'), 1, 2):>8} {cell(m.get('forward_secs'), 1, 3):>10} {peak:>9}")
    print(f"rel L2, framepackd against diffusers, both on the device: {compared('ours', 'reference')}")
    print(f"rel L2, 1+1 blocks, bf16 on the device against f32 on the CPU: {compared('small-device', 'small-cpu')}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    def command(name, run, **options):
        sub = commands.add_parser(name, help=run.__doc__)
        sub.set_defaults(run=run)
        for option, default in options.items():
            flag = "--" + option.replace("_", "-")
            sub.add_argument(flag, default=default, required=default is None, type=type(default or ""))

    command("inputs", write_inputs, config=None, size="608x640", text_tokens=60, seed=1, output=None)
    command("shrink", shrink, config=None, output=None)
    command("measure", measure, config=None, seed=1, inputs=None, device="cuda:0", dtype="bfloat16", runs=3, output=None)
    command("table", table, output=None)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
