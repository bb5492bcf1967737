"""Trains transformer and encoders with flow matching on FramePack's own inputs, both section orders in one model."""

import argparse
import math
import random
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from fast_attention import use_fast_attention
from fast_conv import use_fast_convolutions
from networks import FramePack, build_vae, packed_forward
from optim import Optimizer
from packing import HISTORY, WINDOW, backward_history, backward_section, forward_history, forward_section
from pool import CLIP_LATENTS, SECTIONS, Pool
from prompt import Prompts
from runlog import Budget, Log
from scenes import BUCKETS

BUCKET_WEIGHTS = [3, 3, 8, 3, 3]
MU = 0.8  # a little noisier than the sampler's schedule at 128x128 (0.554)
ADAM = ("embed_tokens", "token_embedding", "position_embedding", "patch_embedding", "x_embedder", "transformer.proj_out",
        "norm1.linear", "norm1_context.linear", "norm.linear", "norm_out.linear")


def bf16(x):
    """Rounded as the sampler rounds timestep and guidance."""
    return x.to(torch.bfloat16).float()


def backward_inputs(latents, padding):
    """Target window and (section, clean, 2x, 4x) of the backward order; clips end after a random number of sections."""
    batch, device = latents.shape[0], latents.device
    first = 1 + padding * WINDOW
    future = latents[:, :, first + WINDOW:first + WINDOW + HISTORY]
    history = torch.zeros(*latents.shape[:2], HISTORY, *latents.shape[3:], device=device)
    history[:, :, :future.shape[2]] = future
    count = torch.randint(padding + 1, SECTIONS + 1, (batch,), device=device)
    real = WINDOW * (count - 1 - padding)
    history = history * (torch.arange(HISTORY, device=device)[None] < real[:, None])[:, None, :, None, None]
    return latents[:, :, first:first + WINDOW], backward_section(padding), history, backward_history


def forward_inputs(latents, index):
    """The same for the forward order's section `index`."""
    done = 1 + index * WINDOW
    history = torch.zeros(*latents.shape[:2], HISTORY, *latents.shape[3:], device=latents.device)
    past = latents[:, :, max(0, done - HISTORY):done]
    history[:, :, HISTORY - past.shape[2]:] = past
    return latents[:, :, done:done + WINDOW], forward_section(), history, forward_history


def roughen(history):
    """Noise on the history, since at inference it is the model's own output; empty frames stay empty."""
    size = 0.15 * torch.rand(history.shape[0], 1, 1, 1, 1, device=history.device)
    filled = history.flatten(3).abs().sum((1, 3)) > 0
    return history + size * torch.randn_like(history) * filled[:, None, :, None, None]


def flow_loss(model, prefix, rng, latents, images, llama_ids, clip_ids):
    """Weighted mean squared velocity error of one random section."""
    batch, device = latents.shape[0], latents.device
    dtype = model.transformer.proj_out.weight.dtype
    if rng.random() < 0.4:
        index = rng.randrange(SECTIONS)
        x0, section, history, views = forward_inputs(latents, index)
        history = roughen(history) if index else history
    else:
        x0, section, history, views = backward_inputs(latents, rng.choices(range(SECTIONS), [3, 3, 2, 2])[0])
        history = roughen(history)
    start = latents[:, :, :1]
    clean, clean_2x, clean_4x = views(start, history)
    u = (torch.rand(batch, device=device) + torch.arange(batch, device=device)) / batch  # stratified
    sigma = math.exp(MU) / (math.exp(MU) + (1 / u.clamp_min(1e-4) - 1))
    noise = torch.randn_like(x0)
    s = sigma[:, None, None, None, None]
    x = (1 - s) * x0 + s * noise
    guidance = torch.where(torch.rand(batch, device=device) < 0.7, torch.full((batch,), 10.0, device=device),
                           1 + 31 * torch.rand(batch, device=device))
    v = packed_forward(model.transformer, x.to(dtype), bf16(sigma * 1000), model.encode_text(llama_ids, prefix),
                       model.encode_pooled(clip_ids), bf16(guidance * 1000), model.encode_image(images.to(dtype)), section,
                       clean.to(dtype), clean_2x.to(dtype), clean_4x.to(dtype))
    moved = (x0 - start).abs().mean(1, keepdim=True).clamp(max=1)
    return ((v.float() - (noise - x0)).square() * (0.5 + 1.5 * moved)).mean()


def export(model, opt, folder):
    """The averaged weights in bf16, split into two files."""
    state = {k: v.to(torch.bfloat16).contiguous() for k, v in opt.averaged(model).items()}
    names = sorted(state)
    half = len(names) // 2
    save_file({k: state[k] for k in names[:half]}, folder / "framepack-1.safetensors")
    save_file({k: state[k] for k in names[half:]}, folder / "framepack-2.safetensors")


def load_vae(path, device, dtype):
    vae = build_vae()
    vae.load_state_dict(load_file(path))
    return vae.to(device, dtype).eval().requires_grad_(False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True)
    parser.add_argument("--tokenizers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--state", type=Path, help="full state to resume from and to write")
    parser.add_argument("--init", type=Path, nargs="*", default=[], help="exported weights to start from when there is no state")
    parser.add_argument("--seconds", type=float, default=500)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--decay", type=float, default=0.35, help="share of the run over which the learning rate falls to 0")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--accumulate", type=int, default=2)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--first-clips", type=int, default=32, help="clips per bucket before training starts")
    parser.add_argument("--add", type=int, default=12)
    parser.add_argument("--add-every", type=int, default=10, help="steps between new clips")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    use_fast_convolutions()
    budget = Budget(args.seconds, args.steps)
    args.out.mkdir(parents=True, exist_ok=True)
    log = Log(args.out / "transformer_log.jsonl")
    prompts = Prompts(args.tokenizers)
    vae = load_vae(args.vae, device, dtype)
    pools = [Pool(b, 2000, prompts, vae, device, args.seed * 10 + i) for i, b in enumerate(BUCKETS)]
    for pool, weight in zip(pools, BUCKET_WEIGHTS):
        for _ in range(0, args.first_clips * weight, 16):
            pool.add(min(16, args.first_clips * weight))
    model = FramePack(prompts.llama.get_vocab_size(), len(prompts.clip)).to(device)
    if args.init:
        model.load_state_dict({k: v.float() for f in args.init for k, v in load_file(f).items()})
    use_fast_attention(model.transformer)
    opt = Optimizer(model, args.lr, adam=ADAM, ema=0.998, dtype=dtype)
    if args.state and args.state.exists():
        opt.load_state_dict(torch.load(args.state, map_location="cpu"))
    saved, total, counted = time.time(), 0.0, 0
    log.write(prepared=budget.elapsed, clips=sum(p.made for p in pools), resumed=opt.count)
    while budget.progress < 1:
        for _ in range(args.accumulate):
            pool = rng.choices(pools, BUCKET_WEIGHTS)[0]
            loss = flow_loss(model, prompts.prefix, rng, *pool.batch(args.batch, empty=rng.random() < 0.03)) / args.accumulate
            loss.backward()
            total, counted = total + loss.detach(), counted + 1 / args.accumulate
        opt.step(min(1.0, (opt.count + 1) / args.warmup, (1 - budget.progress) / max(args.decay, 1e-6) + 1e-3))
        if budget.step % args.add_every == 0:
            rng.choices(pools, BUCKET_WEIGHTS)[0].add(args.add)
        if budget.step % 50 == 0 or budget.step < 3:
            log.write(step=opt.count, seconds=budget.elapsed, loss=float(total) / counted, clips=sum(p.made for p in pools))
            total, counted = 0.0, 0
        if time.time() - saved > 100:
            export(model, opt, args.out)
            saved = time.time()
        budget.step += 1
    export(model, opt, args.out)
    if args.state:
        torch.save(opt.state_dict(), args.state)
    log.write(step=opt.count, seconds=budget.elapsed, final=True)


if __name__ == "__main__":
    main()
