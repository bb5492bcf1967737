"""Llama, CLIP and SigLIP, in the layouts of old and new checkpoints."""

from __future__ import annotations

import torch
from torch import nn

import bundles
from bundles import Layout
from draw import Draw
from store import Store, Tolerance

ENCODER = Tolerance(max_abs=2e-5, rel_l2=1e-5)
HALF = Tolerance(max_abs=None, rel_l2=1e-2)


def write(store: Store, draw: Draw) -> None:
    _llama(store, draw)
    _clip(store, draw)
    _siglip(store, draw)


def _llama(store: Store, draw: Draw) -> None:
    layers = draw.pick(5, (3, 4, 5, 6))
    model = bundles.llama(draw, num_hidden_layers=layers, num_key_value_heads=draw.pick(2, (1, 2, 4)))
    bundles.save(model, store.root / "models/llama", Layout(shard_bytes=60_000))
    # The two layers and the norm that are never run, and the head that is never used.
    unused = (f"layers.{layers - 1}.", f"layers.{layers - 2}.", "norm.")
    head = {"lm_head.weight": draw.normal(200, 32).half()}
    old = bundles.llama(draw, num_hidden_layers=layers, rope_theta=draw.pick(10000.0, (10000.0, 500000.0)))
    layout = Layout(dtype=torch.float16, prefix="model.", legacy=True, without=unused, extra=head)
    bundles.save(old, store.root / "models/llama-headed", layout)

    for name, directory, used, length, valid in [
        ("padded", "models/llama", model, 12, 9),
        ("long", "models/llama", model, draw.pick(70, (33, 70, 128)), None),
        ("headed", "models/llama-headed", old, 8, 5),
    ]:
        ids = torch.tensor([draw.integers(0, 200, length)])
        mask = (torch.arange(length) < (valid or length))[None]
        hidden = third_from_last(used, ids, mask)
        inputs = {"input_ids": ids, "attention_mask": mask}
        case = store.forward(f"llama/{name}", directory, inputs, {"hidden_states": hidden}, ENCODER)
        if name == "padded":
            store.again(case, "f16", HALF, ["--dtype", "f16"])


@torch.no_grad()
def third_from_last(model: nn.Module, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    output = model(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True)
    return output.hidden_states[-3][:, : int(mask.sum())]


def _clip(store: Store, draw: Draw) -> None:
    old = bundles.clip(draw, num_hidden_layers=draw.pick(2, (1, 2, 3)))
    positions = {"text_model.embeddings.position_ids": torch.arange(77)[None]}
    layout = Layout(dtype=torch.float16, prefix="text_model.", legacy=True, extra=positions)
    bundles.save(old, store.root / "models/clip", layout)
    new = bundles.clip(draw, eos_token_id=98)
    bundles.save(new, store.root / "models/clip-bare", Layout())

    for name, directory, model, words in [
        ("short", "models/clip", old, 2),
        ("full", "models/clip", old, 75),
        ("empty", "models/clip", old, 0),
        ("bare", "models/clip-bare", new, 20),
    ]:
        ids = [97, *draw.integers(3, 97, words)]
        ids = torch.tensor([ids + [98] * (77 - len(ids))])
        with torch.no_grad():
            pooled = model(input_ids=ids).pooler_output
        store.forward(f"clip/{name}", directory, {"input_ids": ids}, {"pooler_output": pooled}, ENCODER)


def _siglip(store: Store, draw: Draw) -> None:
    old = bundles.siglip(draw)
    layout = Layout(dtype=torch.bfloat16, prefix="vision_model.", legacy=True)
    bundles.save(old, store.root / "models/siglip", layout)
    side = 14 * draw.pick(4, (2, 4, 5))
    new = bundles.siglip(draw, image_size=side, num_hidden_layers=draw.pick(1, (1, 3)))
    bundles.save(new, store.root / "models/siglip-headless", Layout(without=("head.",), shard_bytes=20_000))
    for name, directory, model in [("prefixed", "models/siglip", old), ("headless", "models/siglip-headless", new)]:
        pixels = draw.uniform(1, 3, model.config.image_size, model.config.image_size).half()
        with torch.no_grad():
            hidden = model(pixel_values=pixels.float()).last_hidden_state
        store.forward(f"siglip/{name}", directory, {"pixel_values": pixels}, {"last_hidden_state": hidden}, ENCODER)
