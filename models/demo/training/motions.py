"""Where an object is after some time: the closed formulas of every motion.

Times are seconds times the object's speed factor. Shapes broadcast; motions are indices into `MOTIONS`.
"""

import math

import torch

OBJECT_MOTIONS = ["left", "right", "up", "down", "circle", "bounce", "wave", "grow", "shrink", "spin", "still"]
CAMERA_MOTIONS = ["pan left", "pan right", "zoom in", "zoom out"]
MOTIONS = OBJECT_MOTIONS + CAMERA_MOTIONS

STEP = 0.24  # units per second
TURN = 2 * math.pi * 0.32
CIRCLE_RADIUS, BOUNCE_HEIGHT, WAVE_WIDTH = 0.15, 0.24, 0.14
GROWTH = 0.24
MAX_RADIUS, MIN_RADIUS = 0.36, 0.06
PAN, ZOOM = 0.085, 0.10


def _slide(start, way, half):
    return torch.minimum(torch.maximum(start + way, -half), half)


def place(motion, x, y, r, t, half_w, half_h):
    """Position x, y, radius and angle of objects that started at x, y with radius r and have moved for t."""
    def when(name, value):
        return torch.where(motion == MOTIONS.index(name), value, torch.zeros_like(value))

    step, turn = STEP * t, TURN * t
    along = when("right", step) - when("left", step)
    across = when("down", step) - when("up", step)
    px = torch.where(along != 0, _slide(x, along, half_w - 1.02 * r), x + torch.zeros_like(t))
    py = torch.where(across != 0, _slide(y, across, half_h - 1.02 * r), y + torch.zeros_like(t))
    px = px + when("circle", CIRCLE_RADIUS * torch.sin(turn)) + when("wave", WAVE_WIDTH * torch.sin(1.5 * turn))
    py = py + when("circle", CIRCLE_RADIUS * (1 - torch.cos(turn))) - when("bounce", BOUNCE_HEIGHT * torch.sin(1.2 * turn).abs())
    grown = torch.minimum(r * torch.exp(GROWTH * t), torch.full_like(t, MAX_RADIUS)) - r
    shrunk = torch.maximum(r * torch.exp(-GROWTH * t), torch.full_like(t, MIN_RADIUS)) - r
    angle = when("spin", 0.85 * turn) + when("wave", 0.35 * torch.sin(1.5 * turn))
    return px, py, r + when("grow", grown) + when("shrink", shrunk), angle


def place_in_two(motion, then, switch, rate, x, y, r, times, half_w, half_h):
    """The same at clip times [..., F] for objects that change from `motion` to `then` after `switch` seconds."""
    first = place(motion, x, y, r, rate * torch.minimum(times, switch), half_w, half_h)
    cx, cy, cr, turned = place(motion, x, y, r, rate * switch, half_w, half_h)
    second = place(then, cx, cy, cr, rate * (times - switch).clamp_min(0), half_w, half_h)
    late = times > switch
    px, py, radius = (torch.where(late, b, a) for a, b in zip(first[:3], second[:3]))
    return px, py, radius, torch.where(late, turned + second[3], first[3])
