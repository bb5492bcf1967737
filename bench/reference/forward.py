"""Times forwards of the reference, and compares their results with the worker's."""

import statistics
import time

import torch
from safetensors.torch import load_file, save_file


def timed(device, work):
    """Seconds until the device has done `work`, and its result."""
    synchronize(device)
    start = time.perf_counter()
    result = work()
    synchronize(device)
    return time.perf_counter() - start, result


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@torch.no_grad()
def measure_forward(model, inputs, runs, device):
    """Median of `runs` after one that is not counted, the peak of torch's allocator, and the result."""
    model(**inputs)
    synchronize(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    runs_secs = []
    for _ in range(runs):
        secs, output = timed(device, lambda: model(**inputs))
        runs_secs.append(secs)
    measurement = {
        "forward_secs": statistics.median_low(runs_secs),
        "runs_secs": runs_secs,
        "peak_bytes": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None,
    }
    return measurement, output.sample


def save_sample(sample, path):
    save_file({"sample": sample.float().cpu().contiguous()}, path)


def rel_l2(path, reference_path):
    a, b = (load_file(path)["sample"].double() for path in (path, reference_path))
    return ((a - b).norm() / b.norm()).item()
