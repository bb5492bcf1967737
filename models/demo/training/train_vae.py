"""Trains the VAE on rendered clips, on all GPUs of a machine: `torchrun --nproc-per-node N train_vae.py ...`."""

import argparse
import math
import random
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import state
from distributed import Group
from fast_vae import use_fast_vae
from networks import build_vae
from optim import Optimizer
from runlog import Budget, Log
from vae_data import Clips
from vae_loss import POSTERIOR_STD, Adversary, Tiles, losses

WHOLE = [(128, 128), (128, 128), (96, 160)]  # whole frames come in few shapes: each is recorded
CROP = 64
FLAT = 0.15


def start(group, init, decoder_only):
    """The VAE of file `init`, or a fresh one near unit variance; posterior noise is constant.

    With `decoder_only` the latents stay what they are, so that a transformer can learn them meanwhile.
    """
    vae = build_vae().to(group.device)
    if init:
        vae.load_state_dict({k: v.float() for k, v in load_file(init).items()})
    with torch.no_grad():
        vae.quant_conv.weight[:16] *= 1 if init else 8
        vae.quant_conv.weight[16:] = 0
        vae.quant_conv.bias[16:] = 2 * math.log(POSTERIOR_STD)
    if decoder_only:
        for part in (vae.encoder, vae.quant_conv):
            part.to(group.dtype).requires_grad_(False)
    return vae


def rate(progress, step, warmup=100, decay=0.65):
    """Learning rate over the run: warm-up, then down to nothing."""
    return min(1.0, (step + 1) / warmup) * max(0.0, min(1.0, (1 - progress) / decay)) + 1e-3


def record(vae, args):
    """The VAE recorded for each size of crops and whole frames; before any transfer between GPUs, which would disturb it."""
    crops = {(CROP, CROP): args.batch} if args.full > 0 else {}
    return {size: Tiles.recorded(vae, count, size) for size, count in (crops | dict.fromkeys(WHOLE, max(1, args.batch // 4))).items()}


def export(vae, opt, folder, init):
    """Averaged weights in f16; those that were not trained as they came."""
    fixed = load_file(init) if any(not p.requires_grad for p in vae.parameters()) else {}
    save_file(fixed | {k: v.half().contiguous() for k, v in opt.averaged().items()}, folder / "vae.safetensors")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--init", type=Path, help="weights to start from when there is no state")
    parser.add_argument("--state", type=Path, help="folder to resume from and to write")
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, default=16, help="crops per GPU; a quarter of it when frames are whole")
    parser.add_argument("--clips", type=int, default=128, help="kept for each shape")
    parser.add_argument("--add", type=int, default=4, help="new clips every other step")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", type=float, default=0.6, help="progress at which crops give way to whole frames")
    parser.add_argument("--critic", type=float, default=0.55, help="progress at which the critic joins")
    parser.add_argument("--critic-share", type=float, default=0.1)
    parser.add_argument("--decoder-only", action="store_true", help="leave the encoder of --init as it is")
    parser.add_argument("--save-every", type=float, default=90)
    args = parser.parse_args()
    if args.decoder_only and not args.init:
        parser.error("--decoder-only needs --init")
    return args


def main():
    args = arguments()
    group = Group()
    torch.manual_seed(args.seed)
    torch.backends.cudnn.benchmark, torch.backends.cudnn.benchmark_limit = True, 4
    use_fast_vae()
    args.out.mkdir(parents=True, exist_ok=True)
    log = Log(args.out / "vae_log.jsonl" if group.first else None)
    budget = Budget(args.seconds, args.steps)
    vae = start(group, args.init, args.decoder_only)
    opt = Optimizer(vae, args.lr, group, adam=("conv_in", "conv_out", "quant_conv"), ema=0.997)
    adversary = Adversary(group, args.critic_share)
    found = state.load(args.state)
    if found:
        opt.restore(found[0], found[1]["step"])
        budget.resume(found[1]["step"], found[1]["seconds"])
    torch.manual_seed(args.seed + 1000 * group.rank + 7 * budget.step)
    rng = random.Random(args.seed + 1000 * group.rank + 7 * budget.step)
    tiles, clips = record(vae, args), Clips(rng, WHOLE, args.clips, group.device, FLAT)
    log.write(prepared=budget.elapsed)
    saved, progress = time.time(), group.agree(budget.progress)
    while progress < 1:
        full = progress >= args.full
        count, bucket, crop = (max(1, args.batch // 4), rng.choice(WHOLE), None) if full else (args.batch, WHOLE[0], CROP)
        size = bucket if full else (CROP, CROP)
        x = clips.draw(bucket, count, crop)
        loss, parts, out, target = losses(tiles[size], x)
        if progress >= args.critic:
            loss = loss + adversary.loss(out, target, loss)
        loss.backward()
        opt.step(rate(progress, budget.step))
        if budget.step % 100 == 0 or budget.step < 4:
            log.write(step=budget.step, seconds=budget.elapsed, loss=loss.item(), psnr=(4 / parts["mse"]).log10().item() * 10,
                      spread=parts["spread"].item(), full=full)
        if budget.step % 2 == 0:
            clips.add(bucket, args.add)
        budget.step += 1
        if budget.step % 20 == 0:
            progress = group.agree(budget.progress)
        if group.first and time.time() - saved > args.save_every:
            export(vae, opt, args.out, args.init)
            if args.state:
                state.save(args.state, opt.state(), {"step": budget.step, "seconds": budget.elapsed})
            saved = time.time()
    if group.first:
        export(vae, opt, args.out, args.init)
        if args.state:
            state.save(args.state, opt.state(), {"step": budget.step, "seconds": budget.elapsed})
    log.write(step=budget.step, seconds=budget.elapsed, final=True)
    group.close()


if __name__ == "__main__":
    main()
