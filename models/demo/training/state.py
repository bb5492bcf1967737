"""What a run needs to go on elsewhere, in a few files of at most 14 MiB: bf16 weights, averages and moments."""

import json
import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

LIMIT = 14 * 2**20


def save(folder, tensors, numbers):
    """Writes tensors by name, and numbers (step, seconds); an earlier state stays whole until this one is."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shards, size = [{}], 0
    for name, tensor in tensors.items():
        tensor = tensor.detach().to(torch.bfloat16).cpu().contiguous()
        if size + tensor.nbytes > LIMIT and shards[-1]:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    metadata = {"numbers": json.dumps({**numbers, "shards": len(shards)})}
    for i, shard in enumerate(shards):
        save_file(shard, folder / f"next-{i}", metadata)
    for i in range(len(shards)):
        os.replace(folder / f"next-{i}", folder / f"state-{i}.safetensors")


def load(folder):
    """Tensors and numbers, or None where there is no state."""
    files = sorted(Path(folder).glob("state-*.safetensors")) if folder else []
    if not files:
        return None
    tensors, numbers = {}, set()
    for file in files:
        with safe_open(file, "pt") as f:
            numbers.add(f.metadata()["numbers"])
            tensors.update({k: f.get_tensor(k) for k in f.keys()})
    if len(numbers) != 1:
        raise SystemExit(f"{folder} holds shards of different states")
    return tensors, json.loads(numbers.pop())
