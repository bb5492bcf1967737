"""Kills the daemon with SIGKILL every few seconds until a job is done, and compares with an uninterrupted run.

    python bench/resume/every.py [--every SECS] [--model original|f1] [--bucket PX] [--seconds S] [--steps N] [--bundle FOLDER] [--bin FOLDER]

Prints the time of both runs, their ratio, how many kills there were, and whether latents and all frames are equal. A
life of the daemon begins with its start; the next one is started at once.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import run


def state_of(farm, key):
    return (farm.show(key) or {}).get("state")


def killed(farm, key, every, also):
    """Renders a job while the daemon is killed; returns the time and the number of kills."""
    start, kills = time.perf_counter(), 0
    farm.submit(key, also)
    born = time.perf_counter()
    while state_of(farm, key) not in ("done", "failed"):
        if time.perf_counter() - born < every:
            time.sleep(0.05)
            continue
        farm.kill_daemon()
        kills, born = kills + 1, time.perf_counter()
    return time.perf_counter() - start, kills


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bundle", type=Path, default=run.ROOT / "models/demo")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--bin", type=Path, default=run.ROOT / "target/release")
    parser.add_argument("--every", type=float, default=9)
    parser.add_argument("--model", default="original")
    parser.add_argument("--bucket", type=int, default=256)
    args = parser.parse_args()
    run.PATIENCE_SECS = 1800
    with tempfile.TemporaryDirectory(prefix="framepack-every.") as folder:
        farm = run.Farm(args, Path(folder))
        also = f"model: {args.model}\nsize: {{bucket: {args.bucket}}}\n"
        try:
            start = time.perf_counter()
            farm.submit("whole", also)
            whole = farm.ended("whole")["result"]
            whole_secs = time.perf_counter() - start
            print(f"{args.model}: uninterrupted in {whole_secs:.1f} s", flush=True)
            secs, kills = killed(farm, "killed", args.every, also)
            job = farm.ended("killed")
            result = job["result"]
            made = [(one["latents_sha256"], run.frames(one["video"])) for one in (whole, result)]
            print(
                f"killed every {args.every:g} s: done in {secs:.1f} s, {secs / whole_secs:.2f} times as long; "
                f"{kills} kills, {job['attempts']} attempts, equal: {'yes' if made[0] == made[1] else 'no'}"
            )
            return 0 if made[0] == made[1] else 1
        finally:
            farm.stop()


if __name__ == "__main__":
    sys.exit(main())
