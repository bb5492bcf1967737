"""The loss curves of the logs as one picture."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

LOGS = Path(__file__).parent / "logs"


def runs(part, key):
    """Steps and values of each run of `part`, the steps counted on."""
    offset = 0
    for log in sorted(LOGS.glob(f"{part}-*.jsonl")):
        rows = [json.loads(line) for line in log.read_text().splitlines()]
        rows = [r for r in rows if key in r and r["step"] > 3]
        yield [r["step"] + offset for r in rows], [r[key] for r in rows]
        offset += rows[-1]["step"]


def main():
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), dpi=90)
    for axis, part, key in zip(axes, ("vae", "transformer"), ("psnr", "loss")):
        for number, (steps, values) in enumerate(runs(part, key), 1):
            axis.plot(steps, values, lw=1, label=f"run {number}")
        axis.set(xlabel="step")
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    axes[0].set(title="VAE (PSNR of the batch)", ylabel="dB")
    axes[1].set(title="Transformer and encoders (flow matching loss)", yscale="log")
    figure.tight_layout()
    figure.savefig(sys.argv[1])


if __name__ == "__main__":
    main()
