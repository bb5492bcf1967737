"""The reference side of this benchmark: diffusers' HunyuanVideoFramepackTransformer3DModel on the same weights.

Every command prints one JSON object a line, as soon as it is known.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
from commands import Commands
from forward import measure_forward, rel_l2, save_sample, timed
from inputs import load_inputs, write_inputs
from synthesis import synthesised_model, with_f32_output, write_config

GIB = 2**30


def prepare(config, scratch, size, text_tokens, seed, cut_blocks, large_double, large_single, device):
    """Writes the arguments and the configurations of the cut and of the large model; describes the machine."""
    scratch = Path(scratch)
    write_inputs(config, scratch / "inputs.safetensors", size, text_tokens, seed)
    write_config(config, scratch / "cut", cut_blocks, cut_blocks)
    write_config(config, scratch / "large", large_double, large_single)
    facts = {
        "cpus": os.cpu_count(),
        "torch": torch.__version__,
        "diffusers": installed("diffusers"),
        "accelerate": installed("accelerate"),
        "size": size,
        "text_tokens": text_tokens,
        "cut_blocks": cut_blocks,
        "large_blocks": [large_double, large_single],
    }
    if device.startswith("cuda"):
        properties = torch.cuda.get_device_properties(device)
        facts |= {"gpu": properties.name, "gpu_bytes": properties.total_memory, "driver": driver()}
    report(facts)


def resident(config, scratch, seed, runs, device, dtype):
    """Forward with all weights on the device; then of a cut, the same weights computed in f32 and in `dtype`."""
    scratch, device, dtype = Path(scratch), torch.device(device), getattr(torch, dtype)
    inputs = load_inputs(scratch / "inputs.safetensors", dtype, device)

    model = with_f32_output(synthesised_model(config, seed, dtype, device))
    measurement, sample = measure_forward(model, inputs, runs, device)
    save_sample(sample, scratch / "reference.safetensors")
    report(measurement | {"device_bytes": device_bytes(device)})

    del model
    torch.backends.cudnn.allow_tf32 = False
    for name, cut_dtype in (("exact", torch.float32), ("cut", dtype)):
        cut = with_f32_output(synthesised_model(scratch / "cut", seed, dtype, device).to(cut_dtype))
        _, sample = measure_forward(cut, load_inputs(scratch / "inputs.safetensors", cut_dtype, device), 1, device)
        save_sample(sample, scratch / f"reference-{name}.safetensors")


def compare(scratch):
    """How far the worker's results are from the reference's."""
    distances = {
        "rel_l2": ("unlimited", "reference"),
        "ours_to_f32": ("cut", "reference-exact"),
        "reference_to_f32": ("reference-cut", "reference-exact"),
    }
    for name, files in distances.items():
        paths = [Path(scratch) / f"{file}.safetensors" for file in files]
        if all(path.exists() for path in paths):
            report({name: rel_l2(*paths)})


def offloaded(config, scratch, seed, runs, device, dtype, card_gib):
    """Forward with diffusers' group offloading on a card of `card_gib`, its context included."""
    from diffusers.hooks import apply_group_offloading

    scratch, device, dtype = Path(scratch), torch.device(device), getattr(torch, dtype)
    model = with_f32_output(synthesised_model(config, seed, dtype, device))
    setup_secs, _ = timed(
        device,
        lambda: apply_group_offloading(
            model,
            onload_device=device,
            offload_device=torch.device("cpu"),
            offload_type="block_level",
            num_blocks_per_group=1,
            use_stream=True,
        ),
    )
    report({"setup_secs": setup_secs, "card_gib": card_gib})
    torch.cuda.empty_cache()
    ballast_bytes = torch.cuda.mem_get_info(device)[1] - int(card_gib * GIB)
    ballast = torch.empty(ballast_bytes, dtype=torch.uint8, device=device)
    inputs = load_inputs(scratch / "inputs.safetensors", dtype, device)
    measurement, _ = measure_forward(model, inputs, runs, device)
    measurement["peak_bytes"] -= ballast.nbytes
    report(measurement | {"device_bytes": device_bytes(device) - ballast.nbytes})


def checkpoint(config, scratch, seed, device, dtype):
    """Writes the synthesised model in the Hub's layout."""
    device, dtype = torch.device(device), getattr(torch, dtype)
    model = synthesised_model(config, seed, dtype, device)
    size_bytes = sum(parameter.nbytes for parameter in model.parameters())
    free_bytes = shutil.disk_usage(scratch).free
    if free_bytes < size_bytes * 1.02:
        sys.exit(f"{scratch} has {free_bytes / 1e9:.1f} GB free, the checkpoint needs {size_bytes / 1e9:.1f} GB")
    secs, _ = timed(device, lambda: model.save_pretrained(Path(scratch) / "checkpoint"))
    report({"write_secs": secs, "checkpoint_bytes": size_bytes})


def from_pretrained(scratch, device, dtype):
    """From a checkpoint in the page cache to the first forward, the process's CUDA context made before."""
    from diffusers import HunyuanVideoFramepackTransformer3DModel

    scratch, device, dtype = Path(scratch), torch.device(device), getattr(torch, dtype)
    inputs = load_inputs(scratch / "inputs.safetensors", dtype, device)

    def load():
        model = HunyuanVideoFramepackTransformer3DModel.from_pretrained(scratch / "checkpoint", torch_dtype=dtype)
        return with_f32_output(model.to(device))

    ready_secs, model = timed(device, load)
    report({"first_forward_started_secs": ready_secs})
    with torch.no_grad():
        forward_secs, _ = timed(device, lambda: model(**inputs))
    report({"first_forward_done_secs": ready_secs + forward_secs})


def report(facts):
    print(json.dumps(facts), flush=True)


def device_bytes(device):
    """What the processes on the device hold, their contexts included; torch's allocator gives nothing back."""
    if device.type != "cuda":
        return None
    free_bytes, total_bytes = torch.cuda.mem_get_info(device)
    return total_bytes - free_bytes


def installed(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def driver():
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError):
        return None


if __name__ == "__main__":
    model = {"config": None, "scratch": None, "seed": 1, "device": "cuda:0", "dtype": "bfloat16"}
    cli = Commands(__doc__)
    sizes = {"size": "608x640", "text_tokens": 60, "cut_blocks": 4, "large_double": 90, "large_single": 180}
    cli.command(prepare, config=None, scratch=None, seed=1, device="cuda:0", **sizes)
    cli.command(resident, **model, runs=3)
    cli.command(compare, scratch=None)
    cli.command(offloaded, **model, runs=3, card_gib=8.0)
    cli.command(checkpoint, **model)
    cli.command(from_pretrained, scratch=None, device="cuda:0", dtype="bfloat16")
    cli.run()
