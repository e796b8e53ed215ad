"""Which bytes are text that can be read."""

from __future__ import annotations

import codecs

from reseed._errors import DataError

_BLOCK = 1 << 20
_LOOKED_AT = 400
_UNUSED = frozenset(b"\x81\x8d\x8f\x90\x9d")  # bytes that Windows's Western encoding has no letter for


def utf8_content(content: bytes, where: str) -> bytes:
    """The content of a text file without its byte order mark.

    Raises:
        DataError: it is no UTF-8; the message says what it may be and what to do.
    """
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    start = content[:_LOOKED_AT]
    if is_utf16 or start.count(0) > len(start) // 3:  # without a mark every other byte is zero
        raise DataError(f"{where} is encoded as UTF-16; save it as UTF-8.")
    if not content.isascii():
        _check_utf8(content, where)
    return content.removeprefix(codecs.BOM_UTF8)


def _check_utf8(content: bytes, where: str) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _BLOCK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(content[start : start + _BLOCK], final=start + _BLOCK >= len(content))
        except UnicodeDecodeError as error:
            place = start - pending + error.start
            raise DataError(f"{where}: {_told(content, place)}") from error


def _told(content: bytes, place: int) -> str:
    byte = content[place]
    told = f"line {line_of(content, place)} holds the byte 0x{byte:02x}, which is no UTF-8"
    if byte in _UNUSED:
        return f"{told}. Save it as UTF-8."
    letter = bytes([byte]).decode("cp1252")
    return (
        f"{told}; it may be {letter!r} in the encoding cp1252 of Windows. Save it as UTF-8, such as with "
        "iconv -f cp1252 -t utf-8."
    )


def line_of(content: bytes, place: int) -> int:
    """The number of the line, from 1, that a byte is in, whatever lines end with."""
    return 1 + (content.count(b"\n", 0, place) or content.count(b"\r", 0, place))
