"""Training logs as JSON lines, and a clock that turns a time budget into progress 0..1."""

import json
import time


class Log:
    """Appends records to a file and echoes them; silent where `path` is None."""

    def __init__(self, path):
        self.path = path

    def write(self, **record):
        if self.path is None:
            return
        record = {k: (round(v, 5) if isinstance(v, float) else v) for k, v in record.items()}
        line = json.dumps(record)
        print(line, flush=True)
        with open(self.path, "a") as f:
            f.write(line + "\n")


class Budget:
    """Progress by wall time (`seconds`, those of earlier parts included) or, for an exact repetition, by `steps`."""

    def __init__(self, seconds, steps=None):
        self.seconds, self.steps, self.start, self.step = seconds, steps, time.time(), 0

    def resume(self, step, elapsed):
        self.step, self.start = step, time.time() - elapsed

    @property
    def elapsed(self):
        return time.time() - self.start

    @property
    def progress(self):
        if self.steps:
            return self.step / self.steps
        return self.elapsed / self.seconds
