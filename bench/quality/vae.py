"""Decodes real latents in every way that the worker and diffusers know, and prints Markdown of what each way costs.

    python bench/quality/vae.py [--worker PROGRAM] [--vae DIR] [--device cpu|cuda:N] [--sizes PX,PX] [--rows KINDS] …

What all are compared with is one pass over all frames in f32, by diffusers. Needs torch, diffusers, safetensors and
Pillow. Input: two of a camera's moves over pictures, encoded by the same VAE, and with --latents those of a job.

- PSNR (of RGB) and SSIM (of luma) are means over the videos, the worst frame is the worst of all.
- Flicker: by how much more frames differ from the one before them than in the single pass, where pieces meet or fade
  over those in between; on average, and of the worst frame. Where every frame is in a fade, over the single pass.
- Memory is, on a CPU, what the process had resident above one that decodes a tiny latent; on CUDA all it had there.
- Time is over that of the worker with the reference's tiles, each the median of --runs after one for warming up.
- Lost frames are those that the Python application's way leaves out; its other frames are compared with their own.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from decoders import Diffusers, Failure, Worker
from goals import goals
from videos import Group, camera_moves, job_latents

ROOT = Path(__file__).resolve().parents[2]
ROWS = ("reference", "original", "chunks", "quality")
LARGEST_TILE_PX = 256
REFERENCE = "the reference's tiles"


def plan(args, group):
    """The ways to decode: who, label, kind of row, and arguments."""
    in_space = max(group.size_px) > LARGEST_TILE_PX
    kinds = args.rows.split(",")
    yield "worker", REFERENCE, "reference", (False, {})  # always: times are over this one's
    if in_space:
        yield "worker", f"{REFERENCE}, tiles in space", "reference", (True, {})
    yield "diffusers", "diffusers, one pass", "whole", "whole"
    if "reference" in kinds:
        yield "diffusers", "diffusers, framewise", "reference", "framewise"
        if in_space:
            yield "diffusers", "diffusers, framewise, tiles in space", "reference", "tiled"
    if "original" in kinds:
        for chunk in (chunk for chunk in args.chunks.split(",") if chunk != "auto"):
            yield "diffusers", f"Python application, chunk {chunk}", "original", f"chunked{chunk}"
    for kind, quality, chunks in (("chunks", "off", args.chunks), ("quality", "on", args.quality_chunks)):
        blends = ["auto"] if kind == "quality" else args.blends.split(",")
        for blend in blends if kind in kinds else []:
            for chunk in chunks.split(","):
                flags = {"--vae-chunk": chunk, "--vae-quality": quality, "--vae-blend": blend}
                label = f"chunk {chunk}" + f", blend {blend}" * (blend != "auto") + ", quality" * (quality == "on")
                yield "worker", label + ", tiles in space" * in_space, kind, (in_space, flags)


def measured(args, group, dtype, folder):
    """Rows of one size and dtype, as they are measured; one that fails says so on stderr."""
    ways = list(plan(args, group))
    worker = Worker(args, dtype, folder)
    diffusers = Diffusers(args, dtype, folder, [way for who, _, _, way in ways if who == "diffusers"])
    for who, label, kind, way in ways:
        try:
            decode = (worker if who == "worker" else diffusers).decode(group, way)
        except Failure as failure:
            print(f"{group.name}, {dtype}, {label}: {failure}", file=sys.stderr)
            yield label, kind, None, {}
            continue
        yield label, kind, decode, group.compared(decode)


COLUMNS = (
    ("PSNR dB", "psnr", "{:.2f}"),
    ("SSIM", "ssim", "{:.4f}"),
    ("worst frame dB", "worst", "{:.2f}"),
    ("flicker", "flicker", "{:.3f}"),
    ("worst", "worst_flicker", "{:.3f}"),
    ("peak MiB", "peak_mib", "{:.0f}"),
    ("of one pass", "of_whole", "{:.2f}"),
    ("time", "time", "{:.2f}x"),
    ("lost frames", "lost", "{}"),
)


def table(args, group, dtype, folder):
    """Prints one table, and yields its rows as dictionaries for the goals."""
    print(f"\n### {group.name}, {group.latent_frames} latent frames, {dtype}\n", flush=True)
    rows, whole_bytes, tiles_secs = [], None, None
    for label, kind, decode, row in measured(args, group, dtype, folder):
        row |= {"label": label, "kind": kind, "group": group.name, "dtype": dtype}
        if decode:
            tiles_secs = decode.secs if label == REFERENCE else tiles_secs
            whole_bytes = decode.peak_bytes if kind == "whole" else whole_bytes
            row |= {"peak_bytes": decode.peak_bytes, "secs": decode.secs, "sample": decode.digest, "lost": decode.lost}
            print(f"{label}: {row['psnr']:.2f} dB, {decode.secs:.2f} s", file=sys.stderr, flush=True)
        rows.append(row)
    print("| decode | " + " | ".join(title for title, *_ in COLUMNS) + " |")
    print("| --- |" + " --- |" * len(COLUMNS))
    for row in merged(rows):
        if "secs" in row:
            row["peak_mib"] = row["peak_bytes"] / 2**20
            row["of_whole"] = row["peak_bytes"] / whole_bytes if whole_bytes else None
            row["time"] = row["secs"] / tiles_secs if tiles_secs else None
        cells = ("-" if row.get(field) is None else form.format(row[field]) for _, field, form in COLUMNS)
        print(f"| {row['label']} | " + " | ".join(cells) + " |", flush=True)
        yield row
    if tiles_secs:
        print(f"\nThe worker took {tiles_secs:.2f} s with {REFERENCE}.", flush=True)


def merged(rows):
    """Rows with quality whose samples have the same bits become one: it overrules the chunk."""
    first_of = {}
    for row in rows:
        key = row.get("sample") if row["kind"] == "quality" else None
        if key is None or first_of.setdefault(key, row) is row:
            continue
        first_of[key]["label"] += f" = {row['label']}"
    return [row for row in rows if row["kind"] != "quality" or first_of.get(row.get("sample"), row) is row]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", type=Path, default=ROOT / "target/release/framepack-worker")
    parser.add_argument("--vae", type=Path, default=ROOT / "models/demo/vae", help="the bundle's folder of the VAE")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtypes", help="of f32,f16,bf16 (default on a CPU: f32,bf16; bf16 may take hours there)")
    parser.add_argument("--sizes", default="192,320", help="sides in pixels; above 256 with tiles in space")
    parser.add_argument("--frames", type=int, default=69, help="of the camera's moves, 4 n + 1")
    parser.add_argument("--latents", type=Path, action="append", default=[], help="latents.safetensors of a job")
    parser.add_argument("--rows", default=",".join(ROWS), help=f"of {','.join(ROWS)}")
    parser.add_argument("--chunks", default="1,2,3,4,5,6,7,8,auto")
    parser.add_argument("--quality-chunks", default="1,4,8,auto", help="the same with quality on, which overrules them")
    parser.add_argument("--blends", default="auto", help="for --vae-blend, such as auto,0,4,8")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    unknown = set(args.rows.split(",")) - set(ROWS)
    if unknown:
        parser.error(f"--rows: {', '.join(sorted(unknown))} is none of {', '.join(ROWS)}")
    if args.frames % 4 != 1 or args.frames < 5:
        parser.error(f"--frames {args.frames}: expected 4 n + 1, at least 5")
    if args.dtypes is None:
        args.dtypes = "f32,f16,bf16" if args.device.startswith("cuda") else "f32,bf16"
    args.inputs = ROOT / "jobs/examples/inputs"
    return args


def main():
    args = arguments()
    rows, kinds = [], args.rows.split(",")
    try:
        if "chunks" in kinds or "quality" in kinds:
            Worker.check_flags(args.worker)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            inputs = [camera_moves(args, int(size), folder) for size in filter(None, args.sizes.split(","))]
            inputs += [job_latents(args, path, number, folder) for number, path in enumerate(args.latents)]
            for name, latents in inputs:
                group = Group(name, latents, Diffusers(args, "f32", folder).whole(latents))
                for dtype in args.dtypes.split(","):
                    rows += table(args, group, dtype, folder)
    except Failure as failure:
        sys.exit(str(failure))
    print("\n### Goals\n")
    print("| goal | measured | met |\n| --- | --- | --- |")
    for goal, figure, met in goals(rows):
        print(f"| {goal} | {figure} | {met} |")
    sys.exit(any("psnr" not in row for row in rows))


if __name__ == "__main__":
    main()
