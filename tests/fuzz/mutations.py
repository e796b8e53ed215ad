"""Harm done to a file: bytes that change, and values that no one would expect."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 7, 2**31, 2**53, 2**63, 2**64, 10**400, -(10**400)),
    *(0.0, -0.5, 1.5, 1e308, 1e-320, float("nan"), float("inf")),
    *("", "a", "\0", "\ud800", "\udcff", "../..", "/etc/passwd", "a" * 5000, "=1+1", "\x1b[2J", "<script>", "1e5"),
    *("wicked:code", "predictions-00000000", "labels", "digits", "swa", "float32", "zstd"),
    *([], [[]], {}, [None], [0], [0, 0], [1, 5], [10**9, 10**9], [-1, -1], ["a", "b"], ["a", "a"], [[0, 1]]),
    *({"a": 1}, {"name": "bytes"}, [{}], [[0, 10**30]]),
)
"""What stands in the place of a value of JSON or TOML."""
_DEEP = 3000


def bytes_of(content: bytes, random: random.Random) -> bytes:
    """Change bytes here and there: flip, drop, triple, fill with zeros or ones, or put in what other files have."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        start = random.randrange(len(content) + 1)
        stop = min(len(content), start + random.choice((1, 1, 2, 4, 8, 64, 1 << 20)))
        piece = content[start:stop]
        changed = random.choice(
            (
                bytes(byte ^ 1 << random.randrange(8) for byte in piece),
                bytes(random.randrange(256) for _ in piece),
                b"",
                piece * 3,
                b"\0" * len(piece),
                b"\xff" * len(piece),
                piece
                + random.choice(
                    (b"\0", b"\n", b",", b'"', b"\t", b"9" * 400, b"[" * 2000, b"\xff\xfe", b"\xed\xa0\x80")
                ),
            )
        )
        content = content[:start] + changed + content[stop:]
    return content


def value_of(tree: Any, random: random.Random) -> Any:
    """Return a tree of JSON in which one value is another, gone, called otherwise, or there twice."""
    root = [tree]
    parent, key = random.choice(_places(root))
    kind = random.choice(("value", "value", "value", "gone", "renamed", "twice"))
    if kind == "gone" and parent is not root:
        del parent[key]
    elif kind == "renamed" and isinstance(parent, dict):
        parent[str(random.choice(VALUES))[:40]] = parent.pop(key)
    elif kind == "twice":
        parent[key] = [parent[key], parent[key]]
    else:
        parent[key] = random.choice(VALUES)
    return root[0]


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every list and dictionary in a tree with each of its keys."""
    found, left = [], [tree]
    while left:
        part = left.pop()
        keys = list(part) if isinstance(part, dict) else range(len(part))
        found += [(part, key) for key in keys]
        left += [part[key] for key in keys if isinstance(part[key], dict | list)]
    return found


def json_of(text: str, random: random.Random) -> bytes:
    """Change values of a JSON text; once in a while nest it out of all proportion. What is none any more stays so."""
    if random.random() < 0.05:
        return (random.choice(("[", '{"a":')) * _DEEP * random.choice((1, 30))).encode()
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return text.encode("utf-8", "replace")
    for _ in range(random.choice((1, 1, 2))):
        tree = value_of(tree, random)
    return json.dumps(tree).encode("utf-8", "surrogatepass")


def toml_of(text: str, random: random.Random) -> str:
    """Change lines of a TOML text: their order, their names, their values."""
    lines = text.splitlines() or [""]
    for _ in range(random.choice((1, 1, 2, 3))):
        place = random.randrange(len(lines))
        name, sign, value = lines[place].partition(" = ")
        lines[place] = random.choice(
            (
                f"{name}{sign}{_toml(random.choice(VALUES))}",
                f"{name}{sign}{_toml(random.choice(VALUES))}",
                f"{name}{sign}{'[' * random.choice((1, _DEEP))}",
                f"{_toml(random.choice(VALUES))} = {value}",
                lines[random.randrange(len(lines))],
                f"{'a.' * random.choice((3, _DEEP))}a = 1",
                f"{name}{sign}0x{'f' * random.choice((3, 300, 9000))}",
                "",
            )
        )
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, bool | None):
        return str(bool(value)).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value) if isinstance(value, str) else str(value)


def file_in(folder: Path, outside: Path, random: random.Random) -> str:
    """Do harm to one file in a folder, and return what was done."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    if not files:
        return "nothing is left to be harmed"
    path = random.choice(files)
    kinds: list[tuple[str, Callable[[], object]]] = [
        ("bytes", lambda: path.write_bytes(bytes_of(path.read_bytes(), random))),
        ("cut", lambda: path.write_bytes(path.read_bytes()[: random.randrange(path.stat().st_size + 1)])),
        ("gone", path.unlink),
        ("folder", lambda: (path.unlink(), path.mkdir())),
        ("link", lambda: (path.unlink(), path.symlink_to(outside))),
        ("loop", lambda: (path.unlink(), path.symlink_to(path))),
        ("pipe", lambda: (path.unlink(), os.mkfifo(path))),
        ("other", lambda: path.write_bytes(random.choice(files).read_bytes())),
        (
            "much",
            lambda: path.write_bytes(pa.compress(bytes(random.choice((1, 1 << 20, 1 << 27))), "zstd", asbytes=True)),
        ),
        ("linked folder", lambda: _link(path.parent, outside.parent)),
    ]
    content = {".json": json_of, ".toml": toml_of}.get(path.suffix)
    if content is not None and random.random() < 0.7:
        changed = content(path.read_text(encoding="utf-8", errors="surrogateescape"), random)
        path.write_bytes(changed if isinstance(changed, bytes) else changed.encode("utf-8", "replace"))
        return f"values of {path.relative_to(folder)}"
    name, change = random.choice(kinds)
    change()
    return f"{name} in {path.relative_to(folder)}"


def _link(folder: Path, outside: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(outside)


randoms = st.integers(0, 2**63).map(random.Random)
"""Randomness by its seed; Hypothesis does not look into it, so that long files cost it nothing."""
