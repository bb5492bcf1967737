"""diffusers' side of this benchmark: its HunyuanVideoFramepackTransformer3DModel on the same weights, as it is and with
every block compiled."""

import json
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
from commands import Commands
from forward import measure_forward, rel_l2, save_sample
from inputs import load_inputs, write_inputs
from synthesis import synthesised_model, with_f32_output, write_config


def inputs(config, size, text_tokens, order, seed, output):
    """Writes the arguments of one forward."""
    write_inputs(config, output, size, text_tokens, seed, order)


def cut(config, blocks, output):
    """Writes the configuration with so many blocks of each kind."""
    write_config(config, output, blocks, blocks)


def measure(config, seed, cases, folder, ways, device, dtype, runs, save):
    """Forwards of each case (FOLDER/CASE.safetensors), eager and compiled: a line of JSON each."""
    device, dtype = torch.device(device), getattr(torch, dtype)
    model = with_f32_output(synthesised_model(config, seed, dtype, device))
    for way in ways.split(","):
        if way == "compiled":
            for block in [*model.transformer_blocks, *model.single_transformer_blocks]:
                block.compile(dynamic=False)
        for case in cases.split(","):
            start = time.perf_counter()
            measurement, sample = measure_forward(
                model, load_inputs(Path(folder) / f"{case}.safetensors", dtype, device), runs, device
            )
            secs = time.perf_counter() - start
            print(json.dumps({"way": way, "case": case, "all_secs": secs} | measurement), flush=True)
            if save != "no":
                save_sample(sample, Path(folder) / f"{case}.{way}.safetensors")
            torch.cuda.empty_cache()


def compare(found, expected):
    """How far apart two results are."""
    same = Path(found).read_bytes() == Path(expected).read_bytes()
    print(json.dumps({"rel_l2": rel_l2(found, expected), "same_bits": same}))


if __name__ == "__main__":
    cli = Commands(__doc__)
    cli.command(inputs, config=None, size="608x640", text_tokens=60, order="backward", seed=1, output=None)
    cli.command(cut, config=None, blocks=4, output=None)
    cli.command(
        measure, config=None, seed=1, cases=None, folder=None, ways="eager,compiled", device="cuda:0",
        dtype="bfloat16", runs=5, save="no",
    )  # fmt: skip
    cli.command(compare, found=None, expected=None)
    cli.run()
