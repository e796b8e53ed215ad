"""An object store at a URL, as far as a study needs it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from reseed._errors import ReseedError, StorageError, StudyError
from reseed._limits import check_size
from reseed.studies._files import inside, storing

CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION; for a server that is not Amazon's AWS_ENDPOINT_URL "
    "too, and AWS_ALLOW_HTTP=true where that begins with http:",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
"""The kinds of store, by how their URLs begin, and what their credentials are called in the environment."""
_AT_ONCE = 16

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class ObjectStore:
    """Objects by name below a URL. Every method raises `StorageError` when the store cannot be reached.

    Args:
        url: Where.
    """

    url: str

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of those objects that exist, by name."""

        def content(name: str) -> bytes | None:
            try:
                return _content(self._store.get(name), name)
            except FileNotFoundError:
                return None

        names = list(names)
        with self._reaching():
            found = dict(zip(names, _each(content, names), strict=True))
        return {name: content for name, content in found.items() if content is not None}

    def download(self, names: Iterable[str], root: Path, *, if_there: bool = False) -> None:
        """Copy objects to files of the same name below a folder; ``if_there``: those that exist."""

        def copy(name: str) -> None:
            try:
                found = self._store.get(name)
            except FileNotFoundError:
                if not if_there:
                    raise
                return
            save(root, name, _content(found, name))

        with storing(root), self._reaching():
            _each(copy, names)

    def upload(self, names: Iterable[str], root: Path) -> None:
        """Copy files below a folder to objects of the same name; each appears as a whole."""
        with self._reaching():
            _each(lambda name: self._store.put(name, root / name), names)

    def write(self, name: str, path: Path) -> None:
        """Copy a file to an object of any name; it appears as a whole."""
        with self._reaching():
            self._store.put(name, path)

    def entries(self, folder: str = "") -> set[str]:
        """Return the names directly in a folder, those of folders among them."""
        with self._reaching():
            found = self._store.list_with_delimiter(folder or None)
        names = [item["path"] for item in found["objects"]] + found["common_prefixes"]
        return {name.rpartition("/")[2] for name in names}

    def below(self, folder: str) -> list[str]:
        """Return the full names of all objects below a folder."""
        with self._reaching():
            return [item["path"] for batch in self._store.list(folder) for item in batch]

    @cached_property
    def _store(self) -> Any:
        from obstore.store import from_url

        return from_url(self.url)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except ReseedError:
            raise
        except (BaseError, FileNotFoundError, ValueError) as error:
            reason = re.split(r"\n|: <\?xml", str(error), maxsplit=1)[0].rstrip(".")
            if code := re.search("<Code>(.*?)</Code>", str(error)):
                reason += f" ({code[1]})"
            raise StorageError(
                f"cannot use {self.url!r}: {reason}. Look at the URL, the network and the credentials in the "
                f"environment ({CREDENTIALS[self.url.partition(':')[0]]}). Finished runs are kept: the same command "
                "continues."
            ) from error


def _content(found: Any, name: str) -> bytes:
    """Return what an object holds, if that is no more than may be read.

    Raises:
        StudyError: It is.
    """
    check_size(int(found.meta["size"]), f"the object {name!r}", StudyError)
    return bytes(found.bytes())


def save(root: Path, name: str, content: bytes) -> None:
    """Write an object's content to the file of its name below a folder."""
    path = inside(root, *name.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _each(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        context = copy_context()  # threads begin with one of their own, in which `reseed.max_bytes` would say nothing
        return list(pool.map(lambda item: context.copy().run(function, item), items))
