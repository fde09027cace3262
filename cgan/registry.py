"""A registry is a table of frozen dataclasses by name. The CLI, the JSON files and the tests follow from
it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def alike(word: str, words: list[str], least: float = 0.5) -> list[str]:
    """The words most like `word`, two at most, whose likeness is `least` of 1 or more."""
    return difflib.get_close_matches(word, words, n=2, cutoff=least)


def closest(word: str, words: list[str]) -> str:
    """' Did you mean ...?' for the words most like `word`, or an empty string."""
    return did_you_mean(alike(word, words))


def did_you_mean(matches: list[str]) -> str:
    """' Did you mean ...?', or an empty string if there is no match."""
    return f" Did you mean {' or '.join(repr(match) for match in matches)}?" if matches else ""


class Registry(Mapping[str, type[T]], Generic[T]):
    """Names to dataclasses, in the order given. One line in the package's `__init__` registers a file.

    >>> LOSSES = Registry("loss", bce=BCE, hinge=Hinge)
    >>> LOSSES["hinge"]()
    """

    def __init__(self, kind: str, /, **entries: type[T]):
        self.kind = kind
        self._entries = {name.replace("_", "-"): entry for name, entry in entries.items()}

    def __getitem__(self, name: str) -> type[T]:
        """The dataclass of that name. Raises ValueError naming the closest matches and all accepted names."""
        if not isinstance(name, str) or name not in self._entries:
            names = list(self._entries)
            raise ValueError(
                f"unknown {self.kind} {name!r}.{closest(str(name), names)} Accepted: {', '.join(names)}."
            )
        return self._entries[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The dataclass of that name, or `default`."""
        return self._entries.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def name_of(self, instance: T) -> str:
        """The registered name of an instance's class."""
        for name, entry in self._entries.items():
            if type(instance) is entry:
                return name
        raise ValueError(f"{type(instance).__name__} is no registered {self.kind}")
