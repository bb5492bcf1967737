"""What a user of framepackctl waits for, and pueue 4 beside it in the same run.

    python bench/client/run.py [--bin FOLDER] [--pueue FOLDER] [--jobs N] [--runs N]

- start of the program (`--version`), beside that of /bin/true, which is what measuring takes
- commands that only read, while a job runs, with an empty queue and with N jobs in it
- adding a job and listing all, with none and with N others (300)
- the share of a core that `top` takes on a terminal of 132x40, over 20 s behind N jobs
- memory of the idle daemon: its share of pages, as the kernel counts it (PSS)
- N jobs that do nothing, one at a time: framepackd's in the stand-in for a worker of its tests, pueue's `true`
- from a job's end, as its record has it, to the end of a program that waits for it

Each figure is of whole runs of the client, p50 and p95, in ms. Nothing is asserted. The programs are those in
target/release, and the stand-in in target/release/examples (`cargo build --release -p framepackd --example fake_worker`).
pueue is what --pueue or PATH has; otherwise it is installed into a temporary folder with cargo, or left out where that
fails.
"""

import argparse
import fcntl
import os
import pty
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import time
from pathlib import Path

from queues import ROOT, Framepackd, Pueue, milliseconds, p50_p95, pss_mib, wait_until

READS = [["ping"], ["status"], ["list"], ["queue"], ["show", "1"], ["metrics"], ["config", "show"], ["info"], ["usage"], ["cache", "ls"]]


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


def reads(farm, folder, jobs, runs):
    """Commands that only read, while a job runs: with an empty queue, and with `jobs` jobs in it."""
    gate = folder / "gate"
    farm.add(f"wait {gate}")
    wait_until(lambda: "running" in farm.ask("list", "--state", "running"), "the job")
    alone = {" ".join(words): farm.read(words, runs) for words in READS}
    while len(farm.unfinished()) <= jobs:
        farm.add()
    rows = {name: (pair, farm.read(name.split(), runs)) for name, pair in alone.items()}
    share = top_share(farm)
    gate.write_text("")
    wait_until(lambda: not farm.unfinished(), "the jobs' end", 1200)
    return rows, share


def top_share(farm, seconds=20):
    """Percent of a core that `framepackctl top` takes once it is there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(farm.client[0], [str(word) for word in [*farm.client, "top"]])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 132, 0, 0))
    os.kill(pid, signal.SIGWINCH)
    threading.Thread(target=drained, args=(terminal,), daemon=True).start()
    time.sleep(2)
    begun, before = time.perf_counter(), processor_seconds(pid)
    time.sleep(seconds)
    share = (processor_seconds(pid) - before) / (time.perf_counter() - begun) * 100
    os.write(terminal, b"q")
    os.waitpid(pid, 0)
    return share


def drained(terminal):
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass  # the other side is closed


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
    # Absolute, since a daemon reads the paths in its configuration from that file's folder.
    parser.add_argument("--bin", type=lambda path: Path(path).resolve(), default=ROOT / "target/release")
    parser.add_argument("--pueue", type=lambda path: Path(path).resolve())
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
    print(f"while a job runs{'':33}behind it {args.jobs} jobs")
    rows, share = in_folder(Framepackd, args.bin, lambda farm, folder: reads(farm, folder, args.jobs, args.runs))
    for name, (alone, behind) in rows.items():
        print(f"  {name:28} {shown(alone)}   {shown(behind)}")
    print(f"  {'top, % of a core':28} {'':17}   {share:8.2f}")

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
