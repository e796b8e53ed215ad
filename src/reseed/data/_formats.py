"""Which files are read, told by their extension."""

from pathlib import Path

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
TABLES = (*DELIMITERS, *JSON_LINES, ".parquet")
EXTENSIONS = (*TABLES, ".npz")


def extension(path: Path) -> str:
    """The lower-case extension that says how to read a file.

    Example:
        >>> extension(Path("reviews.2024.CSV.gz"))
        '.csv'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"] and suffixes[-2:-1] and suffixes[-2] in (*DELIMITERS, *JSON_LINES):
        return suffixes[-2]
    return suffixes[-1] if suffixes else ""
