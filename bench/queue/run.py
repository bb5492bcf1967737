"""Ten thousand queued jobs: how long the daemon takes to take them, to answer, and to start again; and pueue beside it.

    python bench/queue/run.py [--jobs N] [--bin FOLDER] [--pueue FOLDER]

The queue is paused, so that nothing renders. All of framepackd's jobs are dropped into its folder by renaming; pueue, a
queue of shell commands, has no folder and is given its tasks one by one, as many as --pueue-tasks says. `submit`,
`list` and `queue` are whole runs of the client program, median of 20. pueue's rows are left out where it is not
installed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "jobs/examples/inputs/red-ball.png"
RUNS = 20
SETTINGS = """\
paths: {jobs: jobs, state: state, outputs: outputs, socket: framepackd.sock}
models: {bundle: none}
worker: {devices: cpu}
queue: {max_jobs: 1000000}
"""


def seconds(act):
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def median(act):
    return statistics.median(seconds(act) for _ in range(RUNS))


def wait_until(is_true, what, limit=120):
    start = time.perf_counter()
    while not is_true():
        if time.perf_counter() - start > limit:
            raise SystemExit(f"{what}: not after {limit} s")
        time.sleep(0.01)


def job(number):
    return f"api: framepack/v1\nstart: {{image: {PICTURE.name}}}\nprompt: job {number}\nlength: {{seconds: 1}}\n"


class Framepackd:
    def __init__(self, folder, programs):
        self.folder, self.programs = folder, programs
        self.jobs = folder / "jobs"
        self.jobs.mkdir()
        shutil.copy(PICTURE, self.jobs)
        (folder / "framepackd.yaml").write_text(SETTINGS)
        self.log = open(folder / "log", "w")
        self.start()

    def start(self):
        command = [self.programs / "framepackd", "--config", self.folder / "framepackd.yaml"]
        self.daemon = subprocess.Popen(command, stderr=self.log, stdout=subprocess.DEVNULL)
        wait_until(lambda: self.ctl("ping", check=False).returncode == 0, "the daemon's answer", 30)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()

    def ctl(self, *words, check=True):
        command = [self.programs / "framepackctl", "--socket", self.folder / "framepackd.sock", *words]
        return subprocess.run(command, check=check, capture_output=True, text=True)

    def queued(self):
        """Lines in which the daemon's metrics tell how many jobs wait."""
        lines = self.ctl("metrics").stdout.splitlines()
        counts = [line.split()[-1] for line in lines if line.startswith("framepackd_jobs{") and '"queued"' in line]
        return int(float(counts[0])) if counts else 0

    def drop(self, count):
        beside = self.folder / "written"
        for number in range(count):
            beside.write_text(job(number))
            beside.rename(self.jobs / f"job{number}.yaml")

    def submit_one(self, number):
        file = self.folder / f"single{number}.yaml"
        file.write_text(job(-1 - number).replace(PICTURE.name, str(self.jobs / PICTURE.name)))
        return seconds(lambda: self.ctl("submit", file))


def framepackd(count, programs):
    with tempfile.TemporaryDirectory(prefix="framepack-queue.") as folder:
        farm = Framepackd(Path(folder), programs)
        try:
            farm.ctl("pause", "--all")
            taken = seconds(lambda: (farm.drop(count), wait_until(lambda: farm.queued() == count, "the queue")))
            rows = {
                "all taken": taken,
                "submit one more, synced": statistics.median(farm.submit_one(number) for number in range(RUNS)),
                "list all": median(lambda: farm.ctl("list", "--json=id,name,state")),
                "order with reasons": median(lambda: farm.ctl("queue")),
                "ping": median(lambda: farm.ctl("ping")),
            }
            status = Path(f"/proc/{farm.daemon.pid}/status").read_text()
            resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
            rows["stop"] = seconds(farm.stop)
            rows["start until it answers"] = seconds(farm.start)
            assert farm.queued() == count + RUNS, "a job is missing after the restart"
            return rows, int(resident) / 1024
        finally:
            farm.stop()


def pueue(count, tasks, programs):
    """The same of pueue, with `tasks` tasks in its list."""
    with tempfile.TemporaryDirectory(prefix="pueue-queue.") as folder:
        shared = {"pueue_directory": folder, "runtime_directory": folder, "use_unix_socket": True}
        config = Path(folder) / "pueue.yml"
        config.write_text(json.dumps({"shared": shared, "daemon": {}, "client": {}}))

        def run(*words):
            return subprocess.run([programs / "pueue", "-c", config, *words], check=True, capture_output=True)

        def start():
            run_daemon = subprocess.Popen([programs / "pueued", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until(lambda: subprocess.run([programs / "pueue", "-c", config, "status", "--json"], capture_output=True).returncode == 0, "pueued")
            return run_daemon

        daemon = start()
        try:
            run("pause")
            taken = seconds(lambda: [run("add", "--", f"true {number}") for number in range(tasks)])
            rows = {
                f"all taken ({tasks} of {count})": taken,
                "submit one more, synced": median(lambda: run("add", "--", "true")),
                "list all": median(lambda: run("status", "--json")),
            }
            rows["stop"] = seconds(lambda: (daemon.terminate(), daemon.wait()))

            def restart():
                nonlocal daemon
                daemon = start()

            rows["start until it answers"] = seconds(restart)
            return rows
        finally:
            daemon.terminate()
            daemon.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--pueue-tasks", type=int, default=1_000)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release")
    parser.add_argument("--pueue", type=Path, default=Path(shutil.which("pueued") or "/nonexistent").parent)
    args = parser.parse_args()

    rows, resident_mib = framepackd(args.jobs, args.bin)
    print(f"framepackd with {args.jobs} queued jobs, {os.cpu_count()} processors, {resident_mib:.1f} MiB resident")
    for name, secs in rows.items():
        print(f"  {name:26} {secs * 1000:10.1f} ms")
    print(f"  {'taken per second':26} {args.jobs / rows['all taken']:10.0f}")
    if not (args.pueue / "pueued").exists():
        print("pueue: left out, it is not installed")
        return
    print(f"pueue with {args.pueue_tasks} queued tasks")
    beside = pueue(args.jobs, args.pueue_tasks, args.pueue)
    for name, secs in beside.items():
        ratio = f"   {secs / rows[name]:.2f} x framepackd's" if name in rows else ""
        print(f"  {name:26} {secs * 1000:10.1f} ms{ratio}")


if __name__ == "__main__":
    main()
