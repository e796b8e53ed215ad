"""How much memory reading a Parquet file takes, told from the headers of its pages before any page is unpacked.

What the file's end says of sizes and encodings is not what the decoder goes by: that is in a header before each page.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from reseed._errors import DataError, InputError
from reseed._limits import check_size

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_LONGEST_HEADER = 1 << 20  # of a page; it may hold the page's least and greatest value
_VALUE_BYTES = 16  # of a value of fixed width, or a place in a dictionary, and where in its row and list it stands
_DATA_PAGES = {
    0: (5, 2),
    3: (8, 4),
}  # which field of the header describes the page, and which of its fields the encoding
_PREFIXED = 7  # the encoding in which each text may repeat any part of the one before it


def check_parquet(
    path: Path, metadata: pq.FileMetaData, columns: Collection[str], error: type[InputError] = DataError
) -> None:
    """Accept to read some columns of a file.

    Texts that are stored once and meant many times count once: have them read as dictionaries.

    Args:
        path: The file.
        metadata: What its end says.
        columns: The names of the columns.
        error: The type to raise where reading takes too much.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged.
        InputError: Reading takes more than `reseed.max_bytes` allows; of type ``error``.
    """
    size, total = path.stat().st_size, 0
    with path.open("rb") as file:
        for group in range(metadata.num_row_groups):
            rows = metadata.row_group(group)
            for index in range(rows.num_columns):
                column = rows.column(index)
                if column.path_in_schema.partition(".")[0] not in columns:
                    continue
                start = column.data_page_offset
                if column.has_dictionary_page and 0 < column.dictionary_page_offset < start:
                    start = column.dictionary_page_offset
                stop = start + column.total_compressed_size
                if not 0 <= start <= stop <= size:
                    raise ValueError(f"its column {column.path_in_schema!r} lies outside the file")
                while start < stop:
                    header, length = _page_header(file, start)
                    total += _page_bytes(header)
                    check_size(total, repr(str(path)), error)
                    start += length + header[3]


def _page_bytes(header: dict[int, Any]) -> int:
    """Return the memory that a page takes unpacked, at most.

    Raises:
        ValueError: Its header is damaged, or its texts are stored so that they may grow without bound.
    """
    kind, unpacked, packed = (header.get(field) for field in (1, 2, 3))
    if not all(isinstance(number, int) and number >= 0 for number in (kind, unpacked, packed)):
        raise ValueError("the header of a page is damaged")
    if kind not in _DATA_PAGES:
        return int(header[2])
    place, encoding = _DATA_PAGES[int(header[1])]
    about = header.get(place)
    values = about.get(1) if isinstance(about, dict) else None
    if not isinstance(values, int) or values < 0:
        raise ValueError("the header of a page is damaged")
    if header[place].get(encoding) == _PREFIXED:
        raise ValueError("a column is stored as differences of texts, which may grow without bound")
    return int(header[2]) + _VALUE_BYTES * values


def _page_header(file: IO[bytes], start: int) -> tuple[dict[int, Any], int]:
    """Return the header of a page by field number, and its length.

    Raises:
        ValueError: It is damaged.
    """
    wanted = 1 << 10
    while True:
        file.seek(start)
        reader = _Compact(file.read(wanted))
        try:
            return reader.structure(), reader.position
        except IndexError:
            if wanted >= _LONGEST_HEADER or len(reader.data) < wanted:
                raise ValueError("the header of a page is cut off") from None
        wanted *= 32


class _Compact:
    """Reads a structure in Thrift's compact protocol; beyond the end of the data that is an IndexError."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0

    def structure(self, depth: int = 0) -> dict[int, Any]:
        """Return numbers, texts and structures by the number of their field; of lists and maps nothing."""
        if depth > 8:
            raise ValueError("the header of a page is nested too deeply")
        found: dict[int, Any] = {}
        field = 0
        while (start := self._byte()) != 0:
            field = field + (start >> 4) if start >> 4 else self._signed()
            found[field] = self._value(start & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._signed()
        if kind in (7, 8):
            return self._bytes(8 if kind == 7 else self._unsigned())
        if kind == 12:
            return self.structure(depth + 1)
        raise ValueError("the header of a page holds what no page has")

    def _byte(self) -> int:
        value = self.data[self.position]
        self.position += 1
        return value

    def _bytes(self, size: int) -> bytes:
        self.position += size
        if self.position > len(self.data):
            raise IndexError
        return self.data[self.position - size : self.position]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("the header of a page holds a number that is too long")

    def _signed(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)
