"""What a user of framepackctl waits for, and pueue 4 beside it in the same run.

    python bench/client/run.py [--bin FOLDER] [--pueue FOLDER] [--jobs N] [--runs N]

- start of the program (`--version`), beside that of /bin/true, which is what measuring takes
- commands that only read, while a job runs
- adding a job and listing all, with none and with N others (300)
- memory of the idle daemon: its share of pages, as the kernel counts it (PSS)
- N jobs that do nothing, one at a time: framepackd's in the stand-in for a worker of its tests, pueue's `true`
- from a job's end, as its record has it, to the end of a program that waits for it

Each figure is of whole runs of the client, p50 and p95, in ms. Nothing is asserted. The programs are those in
target/release, and the stand-in in target/release/examples (`cargo build --release -p framepackd --example fake_worker`).
pueue is what --pueue or PATH has; otherwise it is installed into a temporary folder with cargo, or left out where that
fails.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """\
paths: {{jobs: jobs, state: state, outputs: outputs, socket: framepackd.sock}}
models: {{bundle: bundle}}
worker: {{devices: cpu, program: {worker}}}
"""
READS = [["ping"], ["list"], ["queue"], ["show", "1"], ["metrics"], ["config", "show"], ["info"], ["cache", "ls"]]


def milliseconds(command):
    """A run of a program from its start to its end, without the interpreter's own bookkeeping."""
    words = [str(word) for word in command]
    quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    begun = time.perf_counter()
    child = os.posix_spawn(words[0], words, os.environ, file_actions=quiet)
    _, status = os.waitpid(child, 0)
    taken = (time.perf_counter() - begun) * 1000
    if status != 0:
        raise SystemExit(f"{' '.join(words)}: status {status}")
    return taken


def p50_p95(values):
    values = sorted(values)
    return statistics.median(values), values[min(len(values) - 1, round(0.95 * (len(values) - 1)))]


def wait_until(is_true, what, limit=300):
    begun = time.perf_counter()
    while not is_true():
        if time.perf_counter() - begun > limit:
            raise SystemExit(f"{what}: not after {limit} s")
        time.sleep(0.02)


def pss_mib(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("Pss:"))) / 1024


def seconds_since_epoch(time_text):
    # Python reads six digits behind the point at most.
    head, _, fraction = time_text.replace("Z", "+00:00").partition(".")
    digits = "".join(character for character in fraction[:9] if character.isdigit())[:6].ljust(6, "0")
    offset = fraction[-6:] if fraction[-6:-5] in ("+", "-") else "+00:00"
    return datetime.fromisoformat(f"{head}.{digits}{offset}").timestamp()


class Framepackd:
    name = "framepackd"

    def __init__(self, folder, programs):
        self.folder, self.programs, self.count = folder, programs, 0
        for name in ("jobs", "bundle", "files"):
            (folder / name).mkdir()
        for part in (ROOT / "tests/fixtures/bundle").iterdir():
            if part.name != "framepack.json":
                (folder / "bundle" / part.name).symlink_to(part)
        (folder / "jobs/photo.png").write_text("P1 1 1 0")
        worker = programs / "examples/fake_worker"
        if not worker.exists():
            raise SystemExit(f"{worker} is missing: cargo build --release -p framepackd --example fake_worker")
        (folder / "framepackd.yaml").write_text(SETTINGS.format(worker=worker))
        self.client = [programs / "framepackctl", "--socket", folder / "framepackd.sock"]
        command = [programs / "framepackd", "--config", folder / "framepackd.yaml"]
        self.daemon = subprocess.Popen(command, stderr=open(folder / "log", "w"), stdout=subprocess.DEVNULL)
        wait_until(lambda: "idle" in self.ask("ping", check=False), "the worker")

    def ask(self, *words, check=True):
        return subprocess.run([*self.client, *words], check=check, capture_output=True, text=True).stdout

    def job(self, prompt="script sections=1 steps=1"):
        self.count += 1
        file = self.folder / f"files/{self.count}.yaml"
        image = self.folder / "jobs/photo.png"
        file.write_text(f"api: framepack/v1\nstart: {{image: {image}}}\nseed: {self.count}\nprompt: {prompt}\n")
        return file

    def add(self, prompt="script sections=1 steps=1"):
        return milliseconds([*self.client, "submit", self.job(prompt)])

    def status(self):
        return milliseconds([*self.client, "list"])

    def pause(self):
        self.ask("pause", "--all")

    def resume(self):
        self.ask("resume", "--all")

    def unfinished(self):
        return json.loads(self.ask("list", "--state", "queued,running", "--json=id"))

    def waiting(self, gate):
        """A job that ends once `gate` exists, and a program that waits for that."""
        self.add(f"wait {gate}")
        number = str(self.count)
        wait_until(lambda: "running" in self.ask("list", "--state", "running"), "the job")
        return number, subprocess.Popen([*self.client, "wait", number], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ended_at(self, number):
        (job,) = json.loads(self.ask("show", number, "--json=finished_at"))
        return seconds_since_epoch(job["finished_at"])

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()


class Pueue:
    name = "pueue"

    def __init__(self, folder, programs):
        self.count = 0
        shared = {"pueue_directory": str(folder), "runtime_directory": str(folder), "use_unix_socket": True}
        config = folder / "pueue.yml"
        config.write_text(json.dumps({"shared": shared, "daemon": {}, "client": {}}))
        self.client = [programs / "pueue", "-c", config]
        self.daemon = subprocess.Popen([programs / "pueued", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: subprocess.run([*self.client, "status"], capture_output=True).returncode == 0, "pueued")

    def ask(self, *words):
        return subprocess.run([*self.client, *words], check=True, capture_output=True, text=True).stdout

    def add(self, command="true"):
        self.count += 1
        return milliseconds([*self.client, "add", "--", command])

    def status(self):
        return milliseconds([*self.client, "status"])

    def pause(self):
        self.ask("pause")

    def resume(self):
        self.ask("start")

    def tasks(self):
        return json.loads(self.ask("status", "--json"))["tasks"]

    def unfinished(self):
        return [number for number, task in self.tasks().items() if "Done" not in task["status"]]

    def waiting(self, gate):
        self.add(f"while ! test -e {gate}; do sleep 0.01; done")
        number = str(self.count - 1)
        wait_until(lambda: "Running" in self.tasks()[number]["status"], "the task")
        return number, subprocess.Popen([*self.client, "wait", "--quiet", number], stdout=subprocess.DEVNULL)

    def ended_at(self, number):
        return seconds_since_epoch(self.tasks()[number]["status"]["Done"]["end"])

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()


def event_latency(queue, folder, runs):
    """From the end of a job to the end of what waits for it."""
    taken = []
    for number in range(runs):
        gate = folder / f"gate{number}"
        job, waits = queue.waiting(gate)
        time.sleep(0.2)  # it has asked by then
        gate.write_text("")
        waits.wait()
        heard_at = time.time()
        taken.append((heard_at - queue.ended_at(job)) * 1000)
    return p50_p95(taken)


def figures(queue, folder, jobs, runs):
    rows = {}
    time.sleep(2)  # what its start took has been given back
    rows["memory of the idle daemon, MiB"] = (pss_mib(queue.daemon.pid), None)
    rows["from a job's end to who waits"] = event_latency(queue, folder, max(3, runs // 10))
    # Once more, for the jobs of that are in the list now.
    queue.pause()
    rows["list, few jobs"] = p50_p95([queue.status() for _ in range(runs)])
    rows["add, few jobs"] = p50_p95([queue.add() for _ in range(runs)])
    while len(queue.unfinished()) < jobs:
        queue.add()
    rows[f"list, {jobs} jobs"] = p50_p95([queue.status() for _ in range(runs)])
    rows[f"add, {jobs} jobs"] = p50_p95([queue.add() for _ in range(runs)])
    left = len(queue.unfinished())
    begun = time.perf_counter()
    queue.resume()
    wait_until(lambda: not queue.unfinished(), "the queue's end", 1200)
    rows["a job of a drained queue"] = ((time.perf_counter() - begun) * 1000 / left, None)
    return rows


def reads(farm, folder, runs):
    """Commands that only read, while a job runs."""
    gate = folder / "gate"
    farm.add(f"wait {gate}")
    wait_until(lambda: "running" in farm.ask("list", "--state", "running"), "the job")
    commands = farm.ask("--help")
    rows = {}
    for words in READS:
        if f"\n  {words[0]} " in commands:
            rows[" ".join(words)] = p50_p95([milliseconds([*farm.client, *words]) for _ in range(runs)])
    gate.write_text("")
    wait_until(lambda: not farm.unfinished(), "the job's end")
    return rows


def installed_pueue(given, folder):
    """The folder of pueue's programs, or why there is none."""
    for place in (given, Path(shutil.which("pueued") or "/nonexistent").parent):
        if place and (place / "pueued").exists():
            return place, None
    command = ["cargo", "install", "--locked", "pueue", "--version", "^4", "--root", folder]
    print(f"installing pueue: {' '.join(map(str, command))}", flush=True)
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return None, f"pueue is left out, it could not be installed: {error}"
    return folder / "bin", None


def in_folder(kind, programs, act):
    with tempfile.TemporaryDirectory(prefix=f"{kind.name}-client.") as name:
        queue = kind(Path(name), programs)
        try:
            return act(queue, Path(name))
        finally:
            queue.stop()


def shown(pair):
    p50, p95 = pair
    return f"{p50:8.2f}" + (f" {p95:8.2f}" if p95 is not None else " " * 9)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release")
    parser.add_argument("--pueue", type=Path)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--runs", type=int, default=50)
    args = parser.parse_args()

    load = os.getloadavg()[0]
    busy = ": others use this machine, and the figures say little" if load > 1 else ""
    print(f"{os.cpu_count()} processors, load {load:.1f}{busy}")
    print("\nms                                    p50      p95")
    starts = {"/bin/true": ["/bin/true"], "framepackctl --version": [args.bin / "framepackctl", "--version"]}
    temporary = tempfile.TemporaryDirectory(prefix="pueue.")
    pueue, why = installed_pueue(args.pueue, Path(temporary.name))
    if pueue:
        starts["pueue --version"] = [pueue / "pueue", "--version"]
    for name, command in starts.items():
        print(f"{name:30} {shown(p50_p95([milliseconds(command) for _ in range(4 * args.runs)]))}")
    print("while a job runs")
    for name, pair in in_folder(Framepackd, args.bin, lambda farm, folder: reads(farm, folder, args.runs)).items():
        print(f"  {name:28} {shown(pair)}")

    def measure(queue, folder):
        return figures(queue, folder, args.jobs, args.runs)

    ours = in_folder(Framepackd, args.bin, measure)
    theirs = in_folder(Pueue, pueue, measure) if pueue else {}
    print(f"\n{'':30} framepackd          pueue            ratio of p50")
    for name, pair in ours.items():
        beside = theirs.get(name)
        rest = f"   {shown(beside)}   {pair[0] / beside[0]:6.2f}" if beside else ""
        print(f"{name:30} {shown(pair)}{rest}")
    if why:
        print(why)


if __name__ == "__main__":
    main()
