"""Work beside training: a stream of its own, so that its transfers do not wait for the queued training steps."""

import contextlib

import torch

_streams = {}


@contextlib.contextmanager
def aside(device):
    """Runs a block on the device's second stream; what it makes can be used after it."""
    if torch.device(device).type != "cuda":
        yield
        return
    stream = _streams.setdefault(str(device), torch.cuda.Stream(device))
    main = torch.cuda.current_stream(device)
    with torch.cuda.stream(stream):
        yield
    main.wait_stream(stream)


def handed(tensor):
    """A tensor made aside, kept in memory for the main stream."""
    if tensor.is_cuda:
        tensor.record_stream(torch.cuda.current_stream(tensor.device))
    return tensor


def sent(values, device):
    """A tensor of Python numbers on the device, without waiting for what is queued there."""
    tensor = torch.tensor(values)
    return tensor.pin_memory().to(device, non_blocking=True) if torch.device(device).type == "cuda" else tensor
