"""FramePack's sampler: sigma schedule, x0 wrapper and UniPC (variant bh1, order 3) returning the last x0 prediction."""

import math

import torch


def schedule(steps, tokens, device="cpu"):
    """Sigmas [steps + 1] shifted by the number of noise tokens."""
    k = (1.15 - 0.5) / (4096 - 256)
    mu = min(k * tokens + 0.5 - 256 * k, math.log(7.0))
    t = torch.linspace(1, 0, steps + 1, device=device)
    return math.exp(mu) / (math.exp(mu) + (1 / t - 1))


def x0_model(velocity):
    """x0(x, sigma) from a velocity function of (x, timestep), with the reference's bf16 rounding of x and timestep."""
    def x0(x, sigma):
        x = x.to(torch.bfloat16).float()
        timestep = (sigma.float() * 1000).to(torch.bfloat16).float()
        return x - velocity(x, timestep.expand(x.shape[0])).float() * sigma
    return x0


def _coefficients(sigmas, sigma, order):
    """Step size h, ratios r and the two coefficient vectors of UniPC-bh1."""
    lam = [-math.log(s) for s in [*sigmas, sigma]]
    h = lam[-1] - lam[-2]
    ratios = [(lam[-2 - j] - lam[-2]) / h for j in range(1, order)] + [1.0]
    hh = -h
    phi1 = math.expm1(hh)
    phi, fact, rows, b = phi1 / hh - 1, 1, [], []
    for j in range(1, order + 1):
        rows.append([r ** (j - 1) for r in ratios])
        b.append(phi * fact / hh)
        fact *= j + 1
        phi = phi / hh - 1 / fact
    rows, b = torch.tensor(rows, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    predict = [] if order == 1 else [0.5] if order == 2 else torch.linalg.solve(rows[:-1, :-1], b[:-1]).tolist()
    correct = [0.5] if order == 1 else torch.linalg.solve(rows, b).tolist()
    return phi1, hh, ratios, predict, correct


def unipc(x0, x, sigmas):
    """Integrates x from sigmas[0]; the result is the model's x0 at the last non-zero sigma."""
    order = min(3, len(sigmas) - 2)
    model, past = [x0(x, sigmas[0])], [float(sigmas[0])]
    for i in range(1, len(sigmas) - 1):
        p, sigma = min(i, order), float(sigmas[i])
        phi1, b, ratios, predict, correct = _coefficients(past, sigma, p)
        base = sigma / past[-1] * x - phi1 * model[-1]
        slopes = [(model[-1 - j] - model[-1]) / ratios[j - 1] for j in range(1, p)]
        latest = x0(base - b * sum(c * d for c, d in zip(predict, slopes)), sigmas[i])
        x = base - b * (sum(c * d for c, d in zip(correct, slopes)) + correct[-1] * (latest - model[-1]))
        model, past = (model + [latest])[-max(order, 1):], (past + [sigma])[-max(order, 1):]
    return model[-1]
