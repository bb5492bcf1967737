"""The two queues that are compared, with one face: framepackd and pueue 4, each with a daemon of its own."""

import json
import os
import statistics
import subprocess
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """\
paths: {{jobs: jobs, state: state, outputs: outputs, socket: framepackd.sock}}
models: {{bundle: bundle}}
worker: {{devices: cpu, program: {worker}}}
"""


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

    def read(self, words, runs):
        return p50_p95([milliseconds([*self.client, *words]) for _ in range(runs)])

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
