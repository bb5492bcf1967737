"""The modes of attention side by side, from results.jsonl."""

import json
import sys

GIB = 1 << 30


def gib(count):
    return "" if count is None else f"{count / GIB:.2f}"


def row(mode, result):
    return [
        mode,
        result["attention_backend"],
        f"{result['first_forward_secs']:.3f}",
        f"{result['forward_secs']:.3f}",
        gib(result["planned_peak_bytes"]),
        gib(result["measured_peak_bytes"]),
        result["attention_reason"] or "",
    ]


def main(path):
    with open(path, encoding="utf-8") as lines:
        results = [json.loads(line) for line in lines]
    head = ["mode", "backend", "first s", "s", "planned GiB", "peak GiB", "reason"]
    rows = [row(line["mode"], line["result"]) for line in results]
    for cells in [head, ["---"] * len(head), *rows]:
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(sys.argv[1])
