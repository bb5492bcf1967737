"""Muon for weight matrices, AdamW for the rest, on fp32 master weights of a bf16 model, with an average of the weights.

Muon: https://kellerjordan.github.io/posts/muon/, with the update scaled to AdamW's size (Moonlight, arXiv:2502.16982).
"""

import torch


def _orthogonalise(g):
    """Newton-Schulz iteration towards the nearest orthogonal matrix for a batch [n, rows, cols]."""
    x = g.bfloat16() if g.is_cuda else g.clone()
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Optimizer:
    """One optimiser for a module on the processes of `group`. `adam` names (substrings) keep AdamW although they are matrices."""

    def __init__(self, model, lr, group, adam=(), weight_decay=0.01, ema=0.998):
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        self.group, self.names = group, [n for n, _ in named]
        self.params = [p for _, p in named]
        self.master = [p.detach().float().clone() for p in self.params]
        self.average = [m.clone() for m in self.master]
        for p in self.params:
            p.data = p.data.to(group.dtype)
        self.lr, self.decay, self.ema, self.count = lr, weight_decay, ema, 0
        self.groups, self.adam = {}, []
        for i, (name, p) in enumerate(named):
            if p.ndim >= 2 and not any(part in name for part in adam):
                self.groups.setdefault((p.shape[0], p[0].numel()), []).append(i)
            else:
                self.adam.append(i)
        self.first = [torch.zeros_like(m) for m in self.master]
        self.second = {i: torch.zeros_like(self.master[i]) for i in self.adam}

    def step(self, scale=1.0, clip=1.0):
        """One update with the learning rate times `scale`; returns the gradient norm."""
        self.count += 1
        lr = self.lr * scale
        grads = [torch.zeros_like(m) if p.grad is None else p.grad.float() for p, m in zip(self.params, self.master)]
        grads = self.group.average(grads)
        norm = torch.stack(torch._foreach_norm(grads)).norm()
        torch._foreach_mul_(grads, (clip / (norm + 1e-6)).clamp(max=1.0))
        self._adam(grads, lr)
        for shape, members in self.groups.items():
            self._muon(shape, members, grads, lr)
        torch._foreach_copy_([p.data for p in self.params], self.master)
        ema = min(self.ema, (1 + self.count) / (10 + self.count))
        torch._foreach_lerp_(self.average, self.master, 1 - ema)
        for p in self.params:
            p.grad = None
        return norm

    def _adam(self, grads, lr, b1=0.9, b2=0.98):
        g = [grads[i] for i in self.adam]
        m, v = [self.first[i] for i in self.adam], [self.second[i] for i in self.adam]
        w = [self.master[i] for i in self.adam]
        torch._foreach_lerp_(m, g, 1 - b1)
        torch._foreach_mul_(v, b2)
        torch._foreach_addcmul_(v, g, g, 1 - b2)
        root = torch._foreach_sqrt(v)
        torch._foreach_div_(root, (1 - b2 ** self.count) ** 0.5)
        torch._foreach_add_(root, 1e-8)
        torch._foreach_addcdiv_(w, m, root, -lr / (1 - b1 ** self.count))

    def _muon(self, shape, members, grads, lr, momentum=0.95):
        g, m = [grads[i] for i in members], [self.first[i] for i in members]
        torch._foreach_lerp_(m, g, 1 - momentum)
        torch._foreach_lerp_(g, m, momentum)
        update = _orthogonalise(torch.stack([x.reshape(shape) for x in g]))
        size = 0.2 * max(shape) ** 0.5
        w = [self.master[i] for i in members]
        torch._foreach_mul_(w, 1 - lr * self.decay)
        torch._foreach_add_(w, [u.view_as(x) for u, x in zip(update, w)], alpha=-lr * size)

    def averaged(self):
        """The averaged weights (fp32) by name."""
        return dict(zip(self.names, self.average))

    def state(self):
        """Tensors to resume from; restored ones are rounded to bf16."""
        kinds = {"master": self.master, "average": self.average, "first": self.first}
        tensors = {f"{kind}.{n}": t for kind, values in kinds.items() for n, t in zip(self.names, values)}
        return tensors | {f"second.{self.names[i]}": t for i, t in self.second.items()}

    def restore(self, tensors, count):
        for kind, mine in (("master", self.master), ("average", self.average), ("first", self.first)):
            for name, tensor in zip(self.names, mine):
                tensor.copy_(tensors[f"{kind}.{name}"])
        for i, tensor in self.second.items():
            tensor.copy_(tensors[f"second.{self.names[i]}"])
        self.count = count
        torch._foreach_copy_([p.data for p in self.params], self.master)
