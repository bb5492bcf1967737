"""One process per GPU (torchrun), or one process alone: gradients are averaged, everything else is each process's own.

Every process renders its own clips from its own seed; weights stay equal because they start equal and see equal gradients.
"""

import os

import torch
import torch.distributed as dist


class Group:
    """The processes that train together."""

    def __init__(self):
        self.rank, self.size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.cuda = torch.cuda.is_available()
        self.device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if self.cuda else "cpu"
        if self.cuda:
            torch.cuda.set_device(self.device)
        if self.size > 1:
            dist.init_process_group("nccl" if self.cuda else "gloo")

    @property
    def dtype(self):
        return torch.bfloat16 if self.cuda else torch.float32

    @property
    def first(self):
        return self.rank == 0

    def average(self, tensors):
        """Replaces tensors by their means over all processes, in one transfer."""
        if self.size == 1:
            return tensors
        flat = torch.cat([t.flatten() for t in tensors])
        dist.all_reduce(flat)
        parts = (flat / self.size).split([t.numel() for t in tensors])
        return [part.view_as(t) for part, t in zip(parts, tensors)]

    def agree(self, value):
        """The first process's number, so that all stop at the same step."""
        if self.size == 1:
            return value
        tensor = torch.tensor([value], device=self.device, dtype=torch.float64)
        dist.broadcast(tensor, 0)
        return float(tensor)

    def same(self, tensor):
        """The first process's tensor, for all."""
        if self.size > 1:
            dist.broadcast(tensor, 0)
        return tensor

    def close(self):
        if self.size > 1:
            dist.destroy_process_group()
