"""Judges a bundle on held-out clips: VAE, first frame, motion against the prompt, seams and drift.

Held-out scenes come from seeds the training never used; the motion probe never sees the prompt. It also reads the rendered
truth (its ceiling) and clips made with another clip's prompt (agreement must follow the prompt, not the picture).
"""

import argparse
import json
import random
from pathlib import Path

import torch
from safetensors.torch import load_file

from captions import caption
from fast_attention import use_fast_attention
from fast_conv import use_fast_convolutions
from generate import Generator
from metrics import psnr
from networks import FramePack
from probe import read_motion
from prompt import Prompts
from render import clip_times, object_mask, render
from runlog import Budget
from scenes import BUCKETS, CAMERA_MOTIONS, MOTIONS, TEST_PHOTOS, TRAIN_PHOTOS, sample_scene
from train_transformer import load_vae
from train_vae import evaluate as evaluate_vae

HELD_OUT_SEED = 777_000_000


def load_model(files, prompts, device, dtype):
    model = FramePack(prompts.llama.get_vocab_size(), len(prompts.clip))
    model.load_state_dict({k: v.float() for f in files for k, v in load_file(f).items()})
    model = model.to(device).eval()
    for p in model.parameters():
        p.data = p.data.to(dtype)
    use_fast_attention(model.transformer)
    return model


def held_out(motions, each, bucket, two=False):
    """Scenes and prompts of every motion, `each` times."""
    rng = random.Random(HELD_OUT_SEED)
    scenes = [sample_scene(rng, bucket, motion=m, photos=TRAIN_PHOTOS + TEST_PHOTOS, two=two) for m in motions for _ in range(each)]
    return scenes, [caption(rng, s) for s in scenes]


def generate_all(generator, scenes, texts, count, forward_order, device, seed=5):
    """One clip per scene; batches share prompt length and size."""
    groups = {}
    for i, (scene, text) in enumerate(zip(scenes, texts)):
        groups.setdefault((len(generator.prompts.llama_ids(text)), scene.height), []).append(i)
    clips = [None] * len(scenes)
    for n, members in enumerate(groups.values()):
        images = torch.cat([render([scenes[i]], clip_times(1, 1, device), device)[:, :, 0] for i in members])
        made = generator(images, [texts[i] for i in members], count, forward_order, seed + n)
        for i, clip, image in zip(members, made, images):
            clips[i] = (clip.half().cpu(), image.cpu())
    return clips


def read(clip, scene, device):
    mask = object_mask(scene, device) if scene.things else None
    return read_motion(clip.to(device), mask)


def agreement(read_motions, wanted):
    return sum(a == b for a, b in zip(read_motions, wanted)) / len(wanted)


def wanted_motion(scene):
    return scene.camera if scene.camera != "none" else (scene.things[0].motion if scene.things else "still")


def motion_scores(generator, each, count, forward_order, device, shuffled):
    """Agreement of generated clips, of the truth, and with shuffled prompts; plus per-motion shares."""
    scenes, texts = held_out(MOTIONS, each, BUCKETS[2])
    wanted = [wanted_motion(s) for s in scenes]
    clips = generate_all(generator, scenes, texts, count, forward_order, device)
    got = [read(c, s, device) for (c, _), s in zip(clips, scenes)]
    first = torch.stack([psnr(c[None, :, 0].float(), i[None])[0] for c, i in clips]).mean()
    result = {"order": "forward" if forward_order else "backward", "sections": count, "clips": len(scenes),
              "agreement": agreement(got, wanted), "first_frame_psnr": float(first),
              "per_motion": {m: agreement([g for g, w in zip(got, wanted) if w == m], [m] * each) for m in MOTIONS},
              "confusions": sorted({(w, g) for g, w in zip(got, wanted) if g != w})}
    result["chance_by_permuted_labels"] = agreement(got, random.Random(3).sample(wanted, len(wanted)))
    if shuffled:
        frames = clips[0][0].shape[1]
        truth = [read(render([s], clip_times(1, frames, device), device)[0], s, device) for s in scenes]
        result["ceiling_on_truth"] = agreement(truth, wanted)
        objects = [i for i, s in enumerate(scenes) if s.camera == "none" and s.things]
        donors = objects[len(objects) // 2:] + objects[:len(objects) // 2]
        other = generate_all(generator, [scenes[i] for i in objects], [texts[j] for j in donors], count, forward_order, device)
        seen = [read(c, scenes[i], device) for (c, _), i in zip(other, objects)]
        result["shuffled_prompts"] = {"agreement_with_new_prompt": agreement(seen, [wanted[j] for j in donors]),
                                      "agreement_with_own_scene": agreement(seen, [wanted[i] for i in objects])}
    return result


def change(clip):
    """Mean absolute change between neighbouring frames [F - 1] in grey levels."""
    return clip.float().diff(dim=1).abs().mean((0, 2, 3)) * 127.5


def seam_and_drift(generator, forward_order, device, each=2, count=3):
    """Change at section borders over the change inside; shift of the mean colour over three sections, also of the truth."""
    steady = ["left", "right", "circle", "bounce", "wave", "spin", "still", "pan left"]
    scenes, texts = held_out(steady, each, BUCKETS[2])
    clips = generate_all(generator, scenes, texts, count, forward_order, device)
    seams, inner, drift, true_drift = [], [], [], []
    for (clip, _), scene in zip(clips, scenes):
        d = change(clip)
        border = torch.zeros(len(d), dtype=torch.bool)
        for k in range(1, count):
            border[36 * k - 2:36 * k + 3] = True
        seams.append(float(d[border].mean()))
        inner.append(float(d[~border].mean()))
        if scene.camera == "none":
            real = render([scene], clip_times(1, clip.shape[1], device), device)[0].cpu()
            for x, out in ((clip.float(), drift), (real, true_drift)):
                means = x.mean((2, 3)) * 127.5
                out.append(float((means[:, -8:].mean(1) - means[:, :8].mean(1)).abs().mean()))
    mean = lambda v: sum(v) / len(v)  # noqa: E731
    return {"order": "forward" if forward_order else "backward", "sections": count, "change_at_seams": mean(seams),
            "change_inside": mean(inner), "colour_drift": mean(drift), "colour_drift_of_truth": mean(true_drift)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="+", required=True)
    parser.add_argument("--tokenizers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="figures as JSON")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--each", type=int, default=8, help="clips per motion")
    parser.add_argument("--quick", action="store_true", help="only the backward order's motions")
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    use_fast_convolutions()
    budget = Budget(1)
    prompts = Prompts(args.tokenizers)
    vae = load_vae(args.vae, device, dtype)
    generator = Generator(load_model(args.weights, prompts, device, dtype), vae, prompts, args.steps)
    figures = {"steps": args.steps}

    def record(name, value):
        figures[name] = value
        args.out.write_text(json.dumps(figures, indent=1) + "\n")
        print(name, json.dumps(value), round(budget.elapsed), "s", flush=True)

    with torch.no_grad():
        record("motion_backward", motion_scores(generator, args.each, 2, False, device, shuffled=True))
        if args.quick:
            return
        record("motion_forward", motion_scores(generator, args.each, 2, True, device, shuffled=False))
        record("seams_backward", seam_and_drift(generator, False, device))
        record("seams_forward", seam_and_drift(generator, True, device))
        record("vae", evaluate_vae(vae, device))
        record("vae_held_out_photo", evaluate_vae(vae, device, photos=TEST_PHOTOS))


if __name__ == "__main__":
    main()
