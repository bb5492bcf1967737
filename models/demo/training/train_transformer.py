"""Trains transformer and encoders with flow matching on FramePack's own inputs, both section orders in one model.

On all GPUs of a machine: `torchrun --nproc-per-node N train_transformer.py ...`.
"""

import argparse
import math
import random
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import bundle
import state
from carry_over import from_bundle
from distributed import Group
from fast_attention import use_fast_attention
from fast_vae import use_fast_vae
from networks import FramePack, build_vae, packed_forward
from optim import Optimizer
from own_history import with_own_history
from pool import Pool
from prompt import Prompts
from runlog import Budget, Log
from scenes import BUCKETS
from sections import draw, sample

BUCKET_WEIGHTS = [3, 3, 8, 3, 3]
POOL_CLIPS = 2000  # per bucket and process
BORDER = 1.5  # weight of a section's first and last latent, which other sections go on from
MU = 0.8  # a little noisier than the sampler's schedule at 128x128 (0.554)
EMPTY_PROMPTS = 0.03
OWN_HISTORIES = 0.15  # share of batches that go on from what the model makes
COLOUR = 8.0  # weight of each latent's mean over the frame: next to nothing of the error otherwise, but it is what drifts
ADAM = ("embed_tokens", "token_embedding", "position_embedding", "patch_embedding", "x_embedder", "transformer.proj_out",
        "norm1.linear", "norm1_context.linear", "norm.linear", "norm_out.linear")


def bf16(x):
    """Rounded as the sampler rounds timestep and guidance."""
    return x.to(torch.bfloat16).float()


def flow_loss(model, prefix, clips, shown):
    """Weighted mean squared velocity error of one section, with more on the mean colours; the latter's part alone."""
    x0 = shown.target
    batch, device, dtype = x0.shape[0], x0.device, model.transformer.proj_out.weight.dtype
    u = (torch.rand(batch, device=device) + torch.arange(batch, device=device)) / batch  # stratified
    sigma = math.exp(MU) / (math.exp(MU) + (1 / u.clamp_min(1e-4) - 1))
    noise = torch.randn_like(x0)
    s = sigma[:, None, None, None, None]
    x = (1 - s) * x0 + s * noise
    guidance = torch.where(torch.rand(batch, device=device) < 0.7, torch.full((batch,), 10.0, device=device),
                           1 + 31 * torch.rand(batch, device=device))
    v = packed_forward(model.transformer, x.to(dtype), bf16(sigma * 1000), model.encode_text(clips.llama_ids, prefix),
                       model.encode_pooled(clips.clip_ids), bf16(guidance * 1000), model.encode_image(shown.images.to(dtype)),
                       shown.section, *(view.to(dtype) for view in shown.views))
    weight = 0.5 + 1.5 * (x0 - clips.latents[:, :, :1]).abs().mean(1, keepdim=True).clamp(max=1)
    weight[:, :, [0, -1]] *= BORDER
    error = v.float() - (noise - x0)
    colour = error.mean((3, 4)).square().mean()
    return (error.square() * weight).mean() + COLOUR * colour, colour.detach()


def export(opt, folder):
    """The averaged weights in bf16, split into two files."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {k: v.to(torch.bfloat16).contiguous() for k, v in opt.averaged().items()}
    names = sorted(weights)
    half = len(names) // 2
    save_file({k: weights[k] for k in names[:half]}, folder / "framepack-1.safetensors")
    save_file({k: weights[k] for k in names[half:]}, folder / "framepack-2.safetensors")


def load_vae(path, device, dtype):
    vae = build_vae()
    vae.load_state_dict(load_file(path))
    return vae.to(device, dtype).eval().requires_grad_(False)


def fill(pools, clips):
    """The clips with which training starts."""
    for pool, weight in zip(pools, BUCKET_WEIGHTS):
        wanted = clips * weight
        while pool.made < wanted:
            pool.add(min(16, wanted - pool.made))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True)
    parser.add_argument("--tokenizers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--state", type=Path, help="folder to resume from and to write")
    parser.add_argument("--seconds", type=float, default=500)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--decay", type=float, default=0.6, help="share of the run over which the learning rate falls to 0")
    parser.add_argument("--batch", type=int, default=192, help="sections per GPU and step")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--first-clips", type=int, default=24, help="clips per unit of bucket weight before training starts")
    parser.add_argument("--add", type=int, default=12)
    parser.add_argument("--add-every", type=int, default=10, help="steps between new clips")
    parser.add_argument("--save-every", type=float, default=90)
    parser.add_argument("--keep-at", type=float, nargs="*", default=[], help="progress at which averaged weights are kept aside")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--init", type=Path, help="bundle to start from when there is no state; blocks it lacks start as nothing")
    return parser.parse_args()


def main():
    args = arguments()
    group = Group()
    torch.manual_seed(args.seed)
    use_fast_vae()
    args.out.mkdir(parents=True, exist_ok=True)
    log = Log(args.out / "transformer_log.jsonl" if group.first else None)
    budget = Budget(args.seconds, args.steps)
    prompts = Prompts(args.tokenizers)
    vae = load_vae(args.vae, group.device, group.dtype)
    model = FramePack(prompts.llama.get_vocab_size(), len(prompts.clip)).to(group.device)
    if args.init:
        weights, share = from_bundle(args.init, bundle.weights(args.init), vae, group)
        missing, unknown = model.load_state_dict(weights, strict=False)
        assert not unknown and all("single_transformer_blocks" in name for name in missing), (missing, unknown)
        log.write(latents_carried_over=share)
    use_fast_attention(model.transformer)
    opt = Optimizer(model, args.lr, group, adam=ADAM, ema=0.9985)
    found = state.load(args.state)
    if found:
        opt.restore(found[0], found[1]["step"])
        budget.resume(found[1]["step"], found[1]["seconds"])
    seed = args.seed + 1000 * group.rank + 7 * budget.step
    torch.manual_seed(seed)
    rng, common = random.Random(seed), random.Random(args.seed + 7 * budget.step)
    pools = [Pool(b, POOL_CLIPS, prompts, vae, group.device, seed * 10 + i) for i, b in enumerate(BUCKETS)]
    fill(pools, args.first_clips)
    log.write(prepared=budget.elapsed, clips=group.size * sum(p.made for p in pools), resumed=opt.count)

    def keep():
        export(opt, args.out)
        if args.state:
            state.save(args.state, opt.state(), {"step": budget.step, "seconds": budget.elapsed})

    saved, total, colours, counted, progress = time.time(), 0.0, 0.0, 0, group.agree(budget.progress)
    to_keep = sorted(at for at in args.keep_at if at > progress)
    while progress < 1:
        pool = rng.choices(pools, BUCKET_WEIGHTS)[0]
        forward, index = draw(rng)
        clips = pool.batch(args.batch, index, empty=rng.random() < EMPTY_PROMPTS)
        if common.random() < OWN_HISTORIES:  # in all processes at once, since it takes longer
            clips = with_own_history(model, prompts.prefix, forward, index, clips, pool)
        loss, colour = flow_loss(model, prompts.prefix, clips, sample(forward, index, clips, pool))
        loss.backward()
        total, colours, counted = total + loss.detach(), colours + colour, counted + 1
        opt.step(min(1.0, (opt.count + 1) / args.warmup, (1 - progress) / max(args.decay, 1e-6) + 1e-3))
        if budget.step % args.add_every == 0:
            rng.choices(pools, BUCKET_WEIGHTS)[0].add(args.add)
        if budget.step % 50 == 0 or budget.step < 3:
            log.write(step=opt.count, seconds=budget.elapsed, loss=float(total) / counted, colour=float(colours) / counted,
                      clips=group.size * sum(p.made for p in pools))
            total, colours, counted = 0.0, 0.0, 0
        budget.step += 1
        if budget.step % 20 == 0:
            progress = group.agree(budget.progress)
        if group.first and time.time() - saved > args.save_every:
            keep()
            saved = time.time()
        if to_keep and progress >= to_keep[0]:
            at = to_keep.pop(0)
            if group.first:
                export(opt, args.out / f"at-{at:g}")
    if group.first:
        keep()
    log.write(step=opt.count, seconds=budget.elapsed, final=True)
    group.close()


if __name__ == "__main__":
    main()
