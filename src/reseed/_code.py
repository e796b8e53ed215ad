"""What a function is, told by its code, so that a study is not continued with another one."""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable
from typing import Any


def unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that a partial one calls."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def code_text(function: Callable[..., Any]) -> str:
    """Return the code and the defaults of a function, or else the type of what is called, as text.

    What a function reads from outside (data, other functions) is not seen.

    Examples:
        >>> code_text(lambda seed: seed + 1) == code_text(lambda seed: seed + 2)
        False
    """
    if isinstance(function, types.MethodType | types.FunctionType):
        return without_addresses(_text(function.__code__) + repr(function.__defaults__))
    return function.__qualname__ if isinstance(function, type) else type(function).__qualname__


def without_addresses(text: str) -> str:
    """Return a text without the places in memory that objects show, which are others in each process."""
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def _text(code: types.CodeType) -> str:
    constants = [
        _text(constant)
        if isinstance(constant, types.CodeType)
        else repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)
        for constant in code.co_consts
    ]
    return repr((code.co_code.hex(), code.co_names, constants))
