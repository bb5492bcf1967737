"""The reference side of this benchmark: a section by diffusers' HunyuanVideoFramepackTransformer3DModel with TeaCache.

The same weights and sizes, in eager mode as FramePack runs it (no `torch.compile`). Each step is the transformer's
forward and one Euler update of the latents; previews and anything else that FramePack does in a step are left out.
"""

import importlib.metadata
import json
import statistics
import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
from commands import Commands
from forward import timed
from inputs import load_inputs, write_inputs
from synthesis import synthesised_model, with_f32_output


class TeaCache(torch.nn.Module):
    """All blocks as one, which reuses in the steps of `sequence` that say r what the last computed ones added.

    It pays for its decision as FramePack does, with the relative change of block 0's modulated input and one number read
    from the device in each step but the first and the last; what is decided is the sequence's, since weights from a seed
    would decide something else.
    """

    def __init__(self, double_blocks, single_blocks, sequence):
        super().__init__()
        self.double_blocks, self.single_blocks, self.sequence = double_blocks, single_blocks, sequence
        self.restart()

    def restart(self):
        """Forgets the section."""
        self.step, self.signal, self.residual, self.distances = 0, None, None, []

    def forward(self, hidden, context, temb, mask, rotary):
        before, signal = hidden, self.double_blocks[0].norm1(hidden, emb=temb)[0]
        if 0 < self.step < len(self.sequence) - 1:
            distance = (signal - self.signal).abs().mean() / self.signal.abs().mean()
            self.distances.append(distance.item())
        self.signal = signal
        computed = self.sequence[self.step] == "C"
        self.step += 1
        if not computed:
            return hidden + self.residual, context
        for block in (*self.double_blocks, *self.single_blocks):
            hidden, context = block(hidden, context, temb, mask, rotary)
        self.residual = hidden - before
        return hidden, context


def cached(model, sequence):
    """Puts the cache in the place of the model's blocks, and returns it."""
    cache = TeaCache(model.transformer_blocks, model.single_transformer_blocks, sequence)
    model.transformer_blocks = torch.nn.ModuleList([cache])
    model.single_transformer_blocks = torch.nn.ModuleList()
    return cache


def steps(model, cache, inputs):
    """One section: yields after each step."""
    cache.restart()
    sigmas = torch.linspace(1, 0, len(cache.sequence) + 1).tolist()
    dtype = inputs["hidden_states"].dtype
    latents = inputs["hidden_states"].float()
    for sigma, following in zip(sigmas, sigmas[1:]):
        timestep = torch.full_like(inputs["timestep"], sigma * 1000)
        flow = model(**inputs | {"hidden_states": latents.to(dtype), "timestep": timestep}).sample
        latents = latents + (following - sigma) * flow.float()
        yield latents


def whole(model, cache, inputs):
    """The latents after a section."""
    *_, last = steps(model, cache, inputs)
    return last


@torch.no_grad()
def section(config, seed, size, text_tokens, sequence, device, dtype, runs):
    """Seconds of each step, synchronised, then of the whole section without that: the median of --runs."""
    device, dtype = torch.device(device), getattr(torch, dtype)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "inputs.safetensors"
        write_inputs(config, file, size, text_tokens, seed)
        inputs = load_inputs(file, dtype, device)
    model = with_f32_output(synthesised_model(config, seed, dtype, device))
    model(**inputs)  # what is done once is not counted
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    cache = cached(model, sequence)
    one_by_one = steps(model, cache, inputs)
    step_secs = [timed(device, lambda: next(one_by_one))[0] for _ in sequence]
    section_secs = [timed(device, lambda: whole(model, cache, inputs))[0] for _ in range(runs)]
    measured = {
        "kind": "teacache",
        "computed": sequence,
        "step_secs": step_secs,
        "section_secs": statistics.median_low(section_secs),
        "peak_device_bytes": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None,
    }
    print(json.dumps(measured))


def describe(device):
    """The machine, as one JSON object."""
    facts = {"torch": torch.__version__, "diffusers": importlib.metadata.version("diffusers")}
    if device.startswith("cuda"):
        facts |= {"gpu": torch.cuda.get_device_properties(device).name}
    print(json.dumps(facts))


if __name__ == "__main__":
    cli = Commands(__doc__)
    sizes = {"size": "608x640", "text_tokens": 60}
    cli.command(section, config=None, seed=1, **sizes, sequence=None, device="cuda:0", dtype="bfloat16", runs=1)
    cli.command(describe, device="cuda:0")
    cli.run()
