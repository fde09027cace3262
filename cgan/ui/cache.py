"""The files made last, kept in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable


class Cache:
    """At most `limit` bytes of files by key; the one unused for longest goes first."""

    def __init__(self, limit: int):
        self.limit, self.size = limit, 0
        self._files: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, key: Hashable) -> bytes | None:
        """The file, or None."""
        if key in self._files:
            self._files.move_to_end(key)
        return self._files.get(key)

    def put(self, key: Hashable, file: bytes) -> None:
        """Keep a file, and drop others to make room."""
        self.size += len(file) - len(self._files.pop(key, b""))
        self._files[key] = file
        while self.size > self.limit:
            _, dropped = self._files.popitem(last=False)
            self.size -= len(dropped)

    def __len__(self) -> int:
        return len(self._files)
