"""Showing texts from outside in a terminal, which would otherwise obey some of them."""

_JOINERS = "\u200c\u200d"  # shape the letters and emoji around them, and nothing else


def plain(text: str) -> str:
    r"""Return a text from outside as one line that a terminal shows and does not obey.

    White space becomes blanks. What would not be seen is spelled out: control characters, escape sequences, marks
    that turn the direction of writing.

    Examples:
        >>> plain("two\nlines, \x1b[31mred")
        'two lines, \\x1b[31mred'
    """
    return "".join(
        character
        if character.isprintable() or character in _JOINERS
        else " "
        if character.isspace()
        else character.encode("unicode_escape").decode()
        for character in text
    )
