"""Goldens that need no weights: schedules, plans, tables and image arithmetic."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image

import images
import sampler
import sections
from store import Store


def write_all(store: Store) -> None:
    store.numbers("sigmas.json", "shifted sigma schedules, f32", _schedules())
    store.numbers(
        "unipc.json", "UniPC on a scalar model; coefficients in f64, where f32 has lost most digits", _unipc()
    )
    store.numbers("sections.json", "section plans for N = 1..60 in both directions", _plans())
    store.numbers("buckets.json", "bucket (height, width) chosen for image sizes (height, width)", _buckets())
    store.numbers("noise.json", "first values of two draws from a seeded CPU generator", _noise())
    store.numbers("guidance.safetensors", "cfg and rescale; `cfg` and `rescale` are f64 scalars", _guidance())
    store.numbers("pixels.safetensors", "soft append, u8 conversion, latent preview", _pixels())
    store.numbers("resize.safetensors", "Pillow resizes of RGB bytes [H,W,3]: FILTER_N.{input,output}", _resizes())


def _schedules() -> list[dict]:
    schedules = []
    for steps in (1, 2, 3, 5, 6, 25, 50):
        for tokens in (1, 60, 576, 2304, 5184, 8798, 13680):
            mu = sampler.flow_shift(tokens)
            values = sampler.sigmas(steps, mu).tolist()
            schedules.append({"steps": steps, "latent_tokens": tokens, "shift": None, "mu": mu, "sigmas": values})
    for shift in (1.0, 3.0, 7.0):
        values = sampler.sigmas(25, math.log(shift)).tolist()
        schedules.append({"steps": 25, "latent_tokens": 1, "shift": shift, "mu": math.log(shift), "sigmas": values})
    return schedules


def _unipc() -> dict:
    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return 0.3 + 0.1 * x * t + 0.05 * torch.sin(3 * t)

    runs = []
    for steps in (1, 2, 3, 4, 5, 6, 25):
        run: dict = {"steps": steps}
        for name, dtype in (("f32", torch.float32), ("f64", torch.float64)):
            trace = sampler.Trace()
            schedule = sampler.sigmas(steps, math.log(7.0), dtype)
            result = sampler.unipc(model, torch.tensor([1.5], dtype=dtype), schedule, trace)
            run[name] = {
                "result": result.item(),
                "x": [x.item() for x in trace.x],
                "denoised": [m.item() for m in trace.denoised],
            }
        run["f64"] |= {"sigmas": schedule.tolist(), "predictor": trace.predictor, "corrector": trace.corrector}
        runs.append(run)
    return {"model": "x0(x, t) = 0.3 + 0.1 x t + 0.05 sin(3 t)", "x": 1.5, "mu": math.log(7.0), "runs": runs}


def _plans() -> dict:
    lengths = [0.1, 1, 1.5, 2, 3, 3.1, 4, 5, 6, 7.5, 9, 10, 15, 30, 60, 120]
    plan: dict = {
        "about": "indices are [first, last] inclusive; clean is a pair of single indices",
        "seconds": [
            {"seconds": s, "window": w, "sections": sections.section_count(s, w)} for s in lengths for w in (3, 9)
        ],
        "backward": [],
        "forward": [],
    }
    for window in (1, 3, 9):
        plan["forward"].append({"window": window, **_ranges(sections.plan_forward(1, window)[0])})
        for padding in range(4):
            section = next(s for s in sections.plan_backward(4, window) if s.padding == padding)
            plan["backward"].append({"window": window, "padding": padding, **_ranges(section)})
    plan["videos"] = [
        {"sections": n, "paddings": sections.paddings(n), "frames_window_9": 36 * n + 1} for n in range(1, 61)
    ]
    return plan


def _ranges(section: sections.Section) -> dict:
    return {
        "latent": [section.latent[0], section.latent[-1]],
        "clean": section.clean,
        "clean_2x": [section.clean_2x[0], section.clean_2x[-1]],
        "clean_4x": [section.clean_4x[0], section.clean_4x[-1]],
    }


def _buckets() -> list[dict]:
    sizes = [
        (512, 512),
        (600, 800),
        (800, 600),
        (480, 854),
        (1920, 1080),
        (100, 1000),
        (1000, 100),
        (608, 640),
        (33, 47),
        (97, 61),
    ]
    asked = [128, 200, 256, 384, 512, 640, 768, 2000]
    return [
        {"image": [h, w], "resolution": r, "bucket": list(images.find_bucket(h, w, r))} for h, w in sizes for r in asked
    ]


def _noise() -> dict:
    generator = torch.Generator("cpu").manual_seed(31337)
    shape = (1, 16, 9, 4, 4)
    draws = [torch.randn(shape, generator=generator).flatten()[:32].tolist() for _ in range(2)]
    return {"seed": 31337, "shape": list(shape), "first_32_of_each_draw": draws}


def _guidance() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    positive, negative = torch.randn((2, 1, 16, 3, 4, 6), generator=generator)
    cases = {"positive": positive, "negative": 0.5 * negative + positive}
    for i, (cfg, amount) in enumerate([(1.5, 0.0), (3.0, 0.7), (0.5, 1.0)]):
        v = cases["negative"] + cfg * (positive - cases["negative"])
        cases[f"{i}.cfg"], cases[f"{i}.rescale"] = (torch.tensor([x], dtype=torch.float64) for x in (cfg, amount))
        cases[f"{i}.output"] = sampler.rescale_noise(v, positive, amount)
    return cases


def _pixels() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(11)
    head, tail = torch.randn((1, 3, 7, 4, 6), generator=generator), torch.randn((1, 3, 8, 4, 6), generator=generator)
    edges = torch.tensor([-2.0, -1.0, -0.999, -0.5, -1 / 127.5, -1e-7, 0.0, 1e-3, 0.5, 0.99999, 1.0, 3.0])
    latents = torch.randn((1, 16, 3, 5, 4), generator=generator) * 2
    tensors = {"head": head, "tail": tail, "latents": latents, "preview": sections.preview(latents)}
    for dtype in (torch.float32, torch.float16):
        name = str(dtype).removeprefix("torch.")
        for overlap in (0, 5, 7):
            joined = sections.soft_append(head.to(dtype), tail.to(dtype), overlap)
            tensors[f"soft_append.{name}.{overlap}"] = joined
    tensors["u8.input"] = torch.cat([edges, head.flatten()])
    tensors["u8.output"] = sections.to_u8(tensors["u8.input"])
    return tensors


def _resizes() -> dict[str, torch.Tensor]:
    # (height, width) before and after: up, down, one axis, mixed, extreme, unchanged.
    sizes = [
        ((9, 7), (21, 33)), ((60, 45), (17, 11)), ((24, 31), (24, 13)), ((24, 31), (50, 31)),
        ((40, 10), (13, 29)), ((1, 1), (5, 4)), ((3, 64), (64, 3)), ((12, 16), (12, 16)), ((97, 83), (42, 42)),
    ]  # fmt: skip
    tensors = {}
    for name, resample in (("lanczos", Image.Resampling.LANCZOS), ("bicubic", Image.Resampling.BICUBIC)):
        for i, (before, after) in enumerate(sizes):
            image = images.photo_like(*before, seed=i)
            resized = image.resize((after[1], after[0]), resample)
            tensors[f"{name}_{i}.input"] = torch.from_numpy(np.array(image))
            tensors[f"{name}_{i}.output"] = torch.from_numpy(np.array(resized))
    return tensors
