"""Write the goldens: `python generate.py --out ../fixtures` makes `parity/` and `bundle/`."""

from __future__ import annotations

import argparse
import shutil
from importlib.metadata import version
from pathlib import Path

import torch

import cases_caches
import cases_encoders
import cases_render
import cases_transformer
import cases_vae
import cases_video
import plain
from draw import Draw
from store import Store

DEFAULT_SEED = 20250503


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where parity/ and bundle/ are replaced")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    args = parser.parse_args()

    torch.set_num_threads(2)
    for name in ("parity", "bundle"):
        shutil.rmtree(args.out / name, ignore_errors=True)
    store = Store(args.out / "parity")
    plain.write_all(store)
    write_cases(store, args.seed)
    store.write_manifest(versions(), args.seed)


def write_cases(store: Store, seed: int, live: bool = False) -> None:
    """All cases of every component; `live` draws their sizes as well."""
    transformers = cases_transformer.write(store, Draw(seed, live))
    for part in (cases_vae, cases_encoders, cases_render):
        part.write(store, Draw(seed, live))
    # Another seed, so that inputs are not the numbers that the weights began with.
    cases_caches.write(store, Draw(seed + 1, live), *transformers)
    cases_video.write(store, Draw(seed + 2, live), transformers[1])


def versions() -> dict[str, str]:
    packages = ("torch", "diffusers", "transformers", "tokenizers", "pillow", "numpy")
    return {name: version(name) for name in packages}


if __name__ == "__main__":
    main()
