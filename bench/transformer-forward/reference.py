"""The reference side of this benchmark: diffusers' HunyuanVideoFramepackTransformer3DModel on the same weights."""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
from commands import Commands
from forward import measure_forward, rel_l2, save_sample, timed
from inputs import load_inputs, write_inputs
from synthesis import synthesised_model, with_f32_output, write_config


def inputs(config, size, text_tokens, seed, output):
    """Writes the arguments of one forward."""
    write_inputs(config, output, size, text_tokens, seed)


def shrink(config, output):
    """Writes the configuration with one block of each kind."""
    write_config(config, output, 1, 1)


def measure(config, seed, inputs, device, dtype, runs, output):
    """One forward: seconds, peak memory, and its result."""
    device, dtype = torch.device(device), getattr(torch, dtype)
    load_secs, model = timed(device, lambda: with_f32_output(synthesised_model(config, seed, dtype, device)))
    measurement, sample = measure_forward(model, load_inputs(inputs, dtype, device), runs, device)
    save_sample(sample, output)
    print(json.dumps({"load_secs": load_secs} | measurement))


def table(output):
    """Prints what the files of one run say; what is missing shows as a dash."""
    out = Path(output)

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


if __name__ == "__main__":
    cli = Commands(__doc__)
    cli.command(inputs, config=None, size="608x640", text_tokens=60, seed=1, output=None)
    cli.command(shrink, config=None, output=None)
    cli.command(measure, config=None, seed=1, inputs=None, device="cuda:0", dtype="bfloat16", runs=3, output=None)
    cli.command(table, output=None)
    cli.run()
