"""Reads what measure.sh has recorded, and prints numbers that may be missing."""

import json
from pathlib import Path


def read(path):
    """Results by name; those of diffusers, which have a way, by case and way."""
    results = {}
    for line in Path(path).read_text().splitlines():
        result = json.loads(line)
        results[name(result)] = result
    return results


def name(result):
    if "way" not in result:
        return result["name"]
    return ", ".join(filter(None, [result.get("case"), f"diffusers, {result['way']}"]))


def cell(value, form="{:.3f}", scale=1):
    return "-" if value is None else form.format(value / scale)


def ratio(a, b):
    return a / b if a is not None and b else None
