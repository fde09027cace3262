"""The files made last, kept in memory."""

from __future__ import annotations

from collections import OrderedDict

OVERHEAD = 300  # bytes that a file takes beside its own, about


class Cache:
    """At most `limit` bytes of files by key; the one unused for longest goes first."""

    def __init__(self, limit: int):
        self.limit, self.size = limit, 0
        self._files: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """The file, or None."""
        if key in self._files:
            self._files.move_to_end(key)
        return self._files.get(key)

    def put(self, key: str, file: bytes) -> None:
        """Keep a file, and drop others to make room."""
        if key in self._files:
            self.size -= len(self._files.pop(key)) + OVERHEAD
        self._files[key] = file
        self.size += len(file) + OVERHEAD
        while self.size > self.limit:
            _, dropped = self._files.popitem(last=False)
            self.size -= len(dropped) + OVERHEAD

    def __len__(self) -> int:
        return len(self._files)
