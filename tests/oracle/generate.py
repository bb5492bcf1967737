"""Write the goldens: `python generate.py --out ../fixtures/parity`."""

from __future__ import annotations

import argparse
import shutil
from importlib.metadata import version
from pathlib import Path

import torch

import cases_encoders
import cases_transformer
import cases_vae
import plain
from draw import Draw
from store import Store

DEFAULT_SEED = 20250503


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory to replace")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    args = parser.parse_args()

    torch.set_num_threads(2)
    if args.out.exists():
        shutil.rmtree(args.out)
    store = Store(args.out)
    plain.write_all(store)
    for part in (cases_transformer, cases_vae, cases_encoders):
        part.write(store, Draw(args.seed))
    packages = ("torch", "diffusers", "transformers", "tokenizers", "pillow", "numpy")
    store.write_manifest({name: version(name) for name in packages}, args.seed)


if __name__ == "__main__":
    main()
