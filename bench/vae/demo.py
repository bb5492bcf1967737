#!/usr/bin/env python3
"""The demo's job on this machine's processor, as `make demo` renders it, with `worker.kernels` off and on in turn: seconds
of its phases as ratios. Off is the original's order of operations, bit for bit.

  bench/vae/demo.py [RUNS]

Needs what `make build` makes, and idle cores.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "target" / "release"
JOB = ROOT / "jobs" / "examples" / "quickstart.yaml"
CONFIGURATION = """
paths: {{jobs: jobs, state: state, outputs: outputs, socket: framepackd.sock, inputs: ['{inputs}']}}
models: {{bundle: '{bundle}'}}
worker: {{kernels: {kernels}}}
"""


def rendered(kernels):
    """Seconds of each phase of the job, and of all."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        configuration = folder / "framepackd.yaml"
        bundle = ROOT / "models" / "demo"
        configuration.write_text(CONFIGURATION.format(bundle=bundle, inputs=JOB.parent, kernels=f'"{kernels}"'))
        command = [PROGRAMS / "framepackd", "--config", configuration]
        with open(folder / "log", "w") as log, subprocess.Popen(command, stderr=log) as daemon:
            try:
                client = [PROGRAMS / "framepackctl", "--socket", folder / "framepackd.sock"]
                while subprocess.run([*client, "ping"], capture_output=True).returncode != 0:
                    if daemon.poll() is not None:
                        sys.exit((folder / "log").read_text())
                    time.sleep(0.1)
                subprocess.run([*client, "submit", "--wait", JOB], check=True, capture_output=True)
                shown = subprocess.run([*client, "show", "1", "--json"], check=True, capture_output=True)
                phases = json.loads(shown.stdout)["items"][0]["result"]["phases"]
            finally:
                daemon.terminate()
    secs = {phase["phase"]: phase["secs"] for phase in phases}
    return secs | {"the job": sum(secs.values())}


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    secs = {"off": [], "on": []}
    for _ in range(runs):
        for kernels, of in secs.items():
            of.append(rendered(kernels))
            print(json.dumps({"kernels": kernels} | of[-1]), file=sys.stderr)
    print("| phase | kernels off / on |\n|---|---|")
    for phase in secs["off"][0]:
        off, on = (statistics.median(run[phase] for run in of) for of in secs.values())
        print(f"| {phase} | {off / on:.2f} |")


if __name__ == "__main__":
    main()
