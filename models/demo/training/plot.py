"""The loss curves of the logs as one picture."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

LOGS = Path(__file__).parent / "logs"


def records(name, key):
    rows = [json.loads(line) for line in (LOGS / name).read_text().splitlines()]
    return [r for r in rows if key in r and "step" in r and "final" not in r]


def main():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), dpi=90)
    vae = records("vae.jsonl", "loss")
    left.plot([r["step"] for r in vae], [r["psnr"] for r in vae], color="tab:blue", lw=1)
    crop = [r["step"] for r in vae if r["full"]]
    if crop:
        left.axvline(crop[0], color="0.7", ls=":", lw=1)
    left.set(title="VAE (batch PSNR; dotted: crops to whole frames)", xlabel="step", ylabel="dB")
    offset = 0
    for run, name in enumerate(sorted(p.name for p in LOGS.glob("transformer-*.jsonl"))):
        rows = [r for r in records(name, "loss") if r["step"] > 3]
        right.plot([r["step"] + offset for r in rows], [r["loss"] for r in rows], lw=1, label=f"run {run + 1}")
        offset += rows[-1]["step"]
    right.set(title="Transformer and encoders (flow matching loss)", xlabel="step", yscale="log")
    right.legend()
    for axis in (left, right):
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(sys.argv[1])


if __name__ == "__main__":
    main()
