"""One job, rendered once for each setting of attention, memory and decoding, beside the same job without it.

    python3 bench/settings/run.py [--device cpu|cuda:0] [--bundle FOLDER] [--steps N] [--seconds S] [--only KEY=VALUE …]

A daemon renders the jobs one after the other with one worker. Memory's settings must not change a bit of the latents;
attention's may, as kernels round differently; those of the VAE change the video alone. What memory's keys did is printed
in the report's words. Exits with 1 if a job fails, or if a setting changed latents that it must not change.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "jobs/examples/inputs/astronaut.jpg"
SETTINGS = (
    "memory.backend=v2", "memory.backend=v1", "memory.offload=aggressive", "memory.preserve_gb=20",
    "memory.load_chunk_mb=64", "attention=off", "attention=standard", "attention=aggressive",
    "vae.chunk=1", "vae.chunk=auto", "vae.quality=on", "profile=standard", "profile=bnb4", "profile=aggressive",
    "profile=extreme",
)  # fmt: skip


def start_daemon(args, folder):
    config = {
        "paths": {"jobs": "jobs", "state": "state", "outputs": "outputs", "socket": "framepackd.sock"},
        "models": {"bundle": str(args.bundle)},
        "worker": {"devices": args.device},
    }
    (folder / "jobs").mkdir()
    shutil.copy(PICTURE, folder / "jobs")
    (folder / "framepackd.yaml").write_text(json.dumps(config))  # JSON is YAML
    with open(folder / "log", "w") as log:
        return subprocess.Popen(
            [args.programs / "framepackd", "--config", folder / "framepackd.yaml"], stdout=log, stderr=log
        )


class Client:
    def __init__(self, args, folder):
        self.command = [args.programs / "framepackctl", "--socket", folder / "framepackd.sock"]

    def __call__(self, *arguments):
        done = subprocess.run([*self.command, *map(str, arguments)], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def record(self, job):
        return json.loads(self("show", job, "--json")[1])["items"][0]


def render(client, job_file, setting):
    """Submits the job with that setting and waits for it: its record, or what it failed with."""
    sets = ["--set", setting] if setting else []
    name = (setting or "default").replace("=", "-").replace(".", "-")
    code, out, err = client("submit", job_file, "--set", f"name={name}", *sets, "--json", "--wait")
    if code not in (0, 7):
        return None, err.strip()
    record = client.record(name)
    failure = record.get("failure")
    return record, failure and failure["message"]


def said(use):
    """What the memory keys did, in one cell: amounts in MiB, or the reason why they did nothing."""
    def words(key, value):
        if isinstance(value, dict):
            return "; ".join(words(f"{key} {inner}", one) for inner, one in value.items() if one is not None)
        return f"{key.removesuffix('_bytes')} {value / 2**20:.1f} MiB" if key.endswith("_bytes") else f"{key} {value}"

    return "; ".join(words(key, value) for key, value in use.items() if value is not None)


def row(setting, result, default):
    """Prints one line; whether the setting changed latents that it must not change."""
    equal = result["latents_sha256"] == default["latents_sha256"]
    must = not (setting or "").startswith(("attention", "profile"))
    vae, attention = result["memory_plan"]["vae"], result["attention"]
    secs = {"sample": float("nan")} | {phase["phase"]: phase["secs"] for phase in result["phases"]}
    cells = (
        setting or "default", f"{attention['mode']}: {attention['backend']}",
        f"{vae['mode']} {vae['chunk_latent_frames'] or ''}{' quality' * vae['quality']}",
        "yes" if equal else "NO" if must else "no", f"{secs['sample']:.2f}", f"{secs['decode']:.2f}",
        f"{(result['peak_device_bytes'] or 0) / 2**20:.0f}", " ".join(result["rungs"]) or "-", said(result["memory_use"]),
    )  # fmt: skip
    print("| " + " | ".join(cells) + " |", flush=True)
    return must and not equal


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bundle", type=Path, default=ROOT / "models/demo")
    parser.add_argument("--programs", type=Path, default=ROOT / "target/release", help="folder of the three programs")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=2.4)
    parser.add_argument("--only", nargs="+", default=SETTINGS, metavar="KEY=VALUE")
    args = parser.parse_args()
    args.bundle = args.bundle.resolve()

    failed = False
    with tempfile.TemporaryDirectory(prefix="framepack-settings.") as folder:
        folder = Path(folder)
        daemon = start_daemon(args, folder)
        try:
            client = Client(args, folder)
            while client("ping")[0]:
                if daemon.poll() is not None:
                    raise SystemExit((folder / "log").read_text())
                time.sleep(0.1)
            job = {
                "api": "framepack/v1",
                "kind": "Job",
                "start": {"image": str(folder / "jobs" / PICTURE.name)},
                "prompt": "The astronaut smiles.",
                "seed": 7,
                "steps": args.steps,
                "length": {"seconds": args.seconds},
            }
            job_file = folder / "job.yaml"
            job_file.write_text(json.dumps(job))
            print("| setting | attention | decoding | same latents | sample s | decode s | peak MiB | rungs | memory |")
            print("| --- |" + " --- |" * 8)
            default = None
            for setting in (None, *args.only):
                record, failure = render(client, job_file, setting)
                if failure:
                    print(f"{setting or 'default'}: FAILED: {failure}", flush=True)
                    failed = True
                    continue
                default = default or record["result"]
                failed |= row(setting, record["result"], default)
        finally:
            daemon.terminate()
            daemon.wait()
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
