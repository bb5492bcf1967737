"""A first video as a new user gets it, each step with its time.


demo    from a clone that was built: one video with the models that come with it, then a farm folder and its first job
hub     on a machine without models: they are fetched, and the first job is rendered. The Hub is a stand-in on 127.0.0.1
        that has the demo's weights in the published repositories' layout, so that all but their size is as with the real
        ones; only size.bucket and steps are set, for which the published repositories have no defaults of their own

Both, unless one is named. Each has an empty home of its own. The commands are printed as a user types them, with what they
print and the seconds that they take.
"""

import argparse
import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "models/demo"
PICTURE = ROOT / "jobs/examples/inputs/astronaut.jpg"
PROMPT = "A portrait of an astronaut, the camera pans left."
# As FramePack takes them: repository, folder in it, folder of the demo.
PUBLISHED = [
    ("lllyasviel/FramePackI2V_HY", "", "transformer"),
    *(("hunyuanvideo-community/HunyuanVideo", name, name)
      for name in ("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "vae")),
    *(("lllyasviel/flux_redux_bfl", name, name) for name in ("image_encoder", "feature_extractor")),
]


def published():
    """The stand-in's files, by repository and path."""
    files = {}
    for repository, below, folder in PUBLISHED:
        for file in sorted((DEMO / folder).iterdir()):
            path = f"{below}/{file.name}" if below else file.name
            files.setdefault(repository, {})[path] = file.read_bytes()
    return files


def blob_of(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """The Hub's endpoints that a fetch asks."""

    files = {}

    def do_GET(self):
        path = self.path.split("?")[0].strip("/").split("/")
        if path[:2] == ["api", "models"]:
            repository = "/".join(path[2:4])
            commit = hashlib.sha1(repository.encode()).hexdigest()
            tree = [{"type": "file", "path": name, "size": len(content), "oid": blob_of(content),
                     "lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
                     if name.endswith(".safetensors") else None}
                    for name, content in self.files.get(repository, {}).items()]
            found = {"sha": commit, "cardData": {"license": "other"}} if path[4] == "revision" else tree
            return self.answer(json.dumps(found).encode() if tree else None)
        content = self.files.get("/".join(path[:2]), {}).get("/".join(path[4:]))
        return self.answer(content)

    def answer(self, content):
        begin = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        if content is None:
            self.send_error(404)
            return
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        self.wfile.write(content[begin:])

    def log_message(self, *_):
        pass


class User:
    """Somebody with an empty home, in an empty folder."""

    def __init__(self, home, programs, **variables):
        self.home = Path(home)
        self.here = self.home / "here"
        self.here.mkdir()
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("FRAMEPACKD_", "HF_", "XDG_", "HUGGINGFACE_"))}
        self.environment = {**kept, "HOME": home, "PATH": f"{programs}:{kept['PATH']}", **variables}

    def types(self, command):
        """Runs a command line; its output and its time are printed."""
        print(f"$ {command}", flush=True)
        start = time.monotonic()
        ended = subprocess.run(["bash", "-c", command], cwd=self.here, env=self.environment, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        secs = time.monotonic() - start
        lines = ended.stdout.replace(self.environment["HOME"], "~").splitlines()
        shown = lines if len(lines) <= 24 else [*lines[:10], f"… {len(lines) - 20} more lines", *lines[-10:]]
        print("\n".join(shown))
        print(f"[{secs:.1f} s, exit code {ended.returncode}]\n", flush=True)
        if ended.returncode:
            sys.exit(f"{command}: exit code {ended.returncode}")
        return ended.stdout

    def starts(self, command):
        """Starts a daemon in the background."""
        print(f"$ {command} &\n", flush=True)
        with open(self.here / "daemon.log", "w", encoding="utf-8") as log:
            return subprocess.Popen(shlex.split(command), cwd=self.here, env=self.environment, stderr=log)


def demo(user):
    user.types(f"framepackctl run --models demo --image {PICTURE} --prompt {shlex.quote(PROMPT)} --seconds 1 -o first.mp4")
    user.types("framepackctl init farm --models demo")
    farm(user, "")


def hub(user):
    user.types("framepackctl models fetch original --dry-run")
    user.types("framepackctl models fetch original")
    user.types("framepackctl models ls")
    user.types("framepackctl models verify")
    small = "--set size.bucket=128 --set steps=10"
    user.types(f"framepackctl run --image {PICTURE} --prompt {shlex.quote(PROMPT)} --seconds 1 {small} -o first.mp4")
    user.types("framepackctl init farm")
    farm(user, small)


def farm(user, small):
    """A daemon of the user's own, and its first job."""
    user.environment["FRAMEPACKD_SOCKET"] = str(user.here / "farm/framepackd.sock")
    daemon = user.starts("framepackd --config farm/framepackd.yaml")
    try:
        while not (user.here / "farm/framepackd.sock").exists():
            time.sleep(0.05)
        user.types("framepackctl ping")
        user.types("framepackctl doctor")
        user.types(f"framepackctl submit farm/examples/first.yaml {small} --wait")
        user.types("ls farm/videos")
    finally:
        daemon.terminate()
        daemon.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=["demo", "hub", []], default=[])
    parser.add_argument("--programs", default=str(ROOT / "target/release"))
    args = parser.parse_args()
    for part in args.parts or ["demo", "hub"]:
        with tempfile.TemporaryDirectory(prefix=f"first-{part}.") as home:
            print(f"== {part}\n")
            if part == "demo":
                demo(User(home, args.programs))
                continue
            Hub.files = published()
            server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            hub(User(home, args.programs, HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}"))
            server.shutdown()


if __name__ == "__main__":
    main()
