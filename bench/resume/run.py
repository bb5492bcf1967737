"""Kills a worker and a daemon in the middle of a job and compares what comes out with an uninterrupted run.

    python bench/resume/run.py [--device cpu|cuda:0] [--bundle FOLDER] [--seconds S] [--steps N] [--bin FOLDER]

Each job is the same but for its key; `equal` is yes when the latents (and, where ffmpeg is installed, all frames) are
those of the uninterrupted run, `exact` what the report says. The last column is the job's time on the worker, all its
runs together, over the uninterrupted run's.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "jobs/examples/inputs/astronaut.jpg"
PATIENCE_SECS = 60

SETTINGS = """\
paths: {{jobs: jobs, state: state, outputs: outputs, socket: framepackd.sock}}
models: {{bundle: {bundle}}}
worker: {{devices: "{device}"}}
"""


def wait_for(look, what):
    start = time.perf_counter()
    while time.perf_counter() - start < PATIENCE_SECS:
        found = look()
        if found:
            return found
        time.sleep(0.01)
    raise SystemExit(f"{what}: not after {PATIENCE_SECS} s")


class Farm:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        (folder / "jobs").mkdir()
        shutil.copy(PICTURE, folder / "jobs")
        settings = SETTINGS.format(bundle=args.bundle.resolve(), device=args.device)
        (folder / "framepackd.yaml").write_text(settings)
        self.log = open(folder / "log", "w")
        self.start()

    def start(self):
        command = [self.args.bin / "framepackd", "--config", self.folder / "framepackd.yaml"]
        self.daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.log)
        wait_for(lambda: self.ctl("ping").returncode == 0, "the daemon")

    def ctl(self, *words):
        command = [self.args.bin / "framepackctl", "--socket", self.folder / "framepackd.sock", *words]
        return subprocess.run(command, capture_output=True, text=True)

    def submit(self, key, also=""):
        file = self.folder / f"{key}.yaml"
        file.write_text(
            f"api: framepack/v1\nname: {key}\nkey: {key}\nstart: {{image: jobs/{PICTURE.name}}}\nseed: 7\n"
            f"prompt: She smiles.\nlength: {{seconds: {self.args.seconds}}}\nsteps: {self.args.steps}\n{also}"
        )
        said = self.ctl("submit", file)
        if said.returncode:
            raise SystemExit(said.stderr)

    def show(self, key):
        said = self.ctl("show", key, "--json")
        return json.loads(said.stdout)["items"][0] if said.returncode == 0 else None

    def wait_for_sections(self, key, sections):
        wait_for(lambda: (self.show(key) or {}).get("sections_done", 0) >= sections, f"section {sections} of {key}")

    def ended(self, key):
        def end():
            job = self.show(key)
            return job if job and job["state"] in ("done", "failed", "cancelled", "expired") else None

        job = wait_for(end, key)
        if job["state"] != "done":
            raise SystemExit(f"{key}: {json.dumps(job.get('failure'))}")
        return job

    def kill_worker(self):
        children = Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children").read_text().split()
        for tasks in Path(f"/proc/{self.daemon.pid}/task").iterdir():
            children += (tasks / "children").read_text().split()
        for child in set(children):
            os.kill(int(child), signal.SIGKILL)

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.wait()
        self.start()

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()


def frames(video):
    if not shutil.which("ffmpeg"):
        return None
    command = ["ffmpeg", "-v", "error", "-i", video, "-f", "md5", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def render(farm, key, sections, harm):
    """Renders a job, with `harm` done to the farm after so many sections."""
    start = time.perf_counter()
    farm.submit(key)
    if harm:
        farm.wait_for_sections(key, sections)
        harm()
    job = farm.ended(key)
    result = job["result"]
    return {
        "secs": time.perf_counter() - start,
        "attempts": job["attempts"],
        "resumed": result.get("resumed") or {},
        "made": (result["latents_sha256"], frames(result["video"])),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bundle", type=Path, default=ROOT / "models/demo")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="framepack-resume.") as folder:
        farm = Farm(args, Path(folder))
        try:
            render(farm, "warm-up", 0, None)
            whole = render(farm, "whole", 0, None)
            print(f"{args.device}: {args.seconds} s, {args.steps} steps, uninterrupted in {whole['secs']:.2f} s")
            print(f"{'killed':22} {'attempts':>8} {'sections kept':>13} {'exact':>6} {'equal':>6} {'time':>6}")
            faults = [("worker", farm.kill_worker), ("daemon and worker", farm.kill_daemon)]
            for name, harm in faults:
                for sections in (1, 3):
                    key = f"{name.split()[0]}-{sections}"
                    run = render(farm, key, sections, harm)
                    resumed = run["resumed"]
                    print(
                        f"{name + f', section {sections}':22} {run['attempts']:8} {resumed.get('sections_done', 0):13} "
                        f"{'yes' if resumed.get('is_exact') else 'no':>6} {'yes' if run['made'] == whole['made'] else 'NO':>6} "
                        f"{run['secs'] / whole['secs']:5.2f}x"
                    )
        finally:
            farm.stop()


if __name__ == "__main__":
    main()
