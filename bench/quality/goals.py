"""What bench/quality/vae.py's rows are to reach."""

LARGEST_SHARE = 1 / 3
LEAST_DB = 38.0
MOST_FLICKER = 1.05


def goals(rows):
    """For each goal its words, what was measured, and whether it is met."""
    chunk_1 = [row for row in rows if row["kind"] == "chunks" and row["label"].split(",")[0] == "chunk 1"]
    quality = [row for row in rows if row["kind"] == "quality"]
    ours = [row for row in rows if row["kind"] in ("chunks", "quality")]
    yield "chunk 1: peak memory, of one pass's", *judged(chunk_1, "of_whole", max, LARGEST_SHARE, "at most 1/3")
    yield "quality on, any chunk: PSNR to one pass, dB", *judged(quality, "psnr", min, LEAST_DB, "at least 38")
    yield "chunks: flicker where they meet", *judged(ours, "flicker", max, MOST_FLICKER, "at most 1.05")


def judged(rows, field, worst_of, bound, words):
    """The worst row, and whether it is within the bound; rows without a figure leave it open."""
    known = [row for row in rows if row.get(field) is not None]
    failed = sum("psnr" not in row for row in rows)
    if not known:
        return f"- ({words})", "-"
    worst = worst_of(known, key=lambda row: row[field])
    within = worst[field] <= bound if worst_of is max else worst[field] >= bound
    figure = f"{worst[field]:.3f} ({words}): {worst['label']}, {worst['group']}, {worst['dtype']}"
    return figure, f"open, {failed} failed" if within and failed else "yes" if within else "no"
