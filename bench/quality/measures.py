"""How far the frames of one decode or video are from those of another, and whether they flicker where pieces meet."""

import numpy as np


def psnr(a, b):
    error = np.mean((a - b) ** 2)
    return float("inf") if error == 0 else -10 * np.log10(error)


def ssim(a, b, side=8):
    """Mean structural similarity over squares of 8 pixels (Wang et al. 2004, without the Gaussian window)."""
    def blocks(x):
        n, h, w = x.shape
        x = x[:, : h // side * side, : w // side * side].reshape(n, h // side, side, w // side, side)
        return x.transpose(0, 1, 3, 2, 4).reshape(-1, side * side)

    a, b = blocks(a), blocks(b)
    mean_a, mean_b = a.mean(1), b.mean(1)
    covariance = ((a - mean_a[:, None]) * (b - mean_b[:, None])).mean(1)
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float(np.mean(similarity / ((mean_a**2 + mean_b**2 + c1) * (a.var(1) + b.var(1) + c2))))


def worst_psnr(a, b):
    """Of the frame that is farthest off."""
    return min(psnr(*frames) for frames in zip(a, b))


def steps(frames):
    """Mean absolute difference of each frame to the one before it; the first has none and is left out."""
    return np.array([np.mean(np.abs(after - before)) for before, after in zip(frames, frames[1:])])


def flicker(changes, expected, at_seams):
    """How much more moves at seams than between them: on average, and where it is most.

    `changes` are the steps of a decode and `expected` those of what it is compared with, whose movement is thus no
    flicker. Where every frame belongs to a seam, `expected` alone is the measure.
    """
    if not at_seams.any():
        return None, None
    inside = ~at_seams
    usual = changes[inside].sum() / expected[inside].sum() if inside.any() else 1.0
    average = changes[at_seams].sum() / expected[at_seams].sum()
    return average / usual, (changes / expected)[at_seams].max() / usual
