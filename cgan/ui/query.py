"""A query string, taken apart one checked parameter at a time."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from cgan.registry import closest

LONGEST = 8000  # characters of one value; a drawing or a map comes as a small PNG in base64
WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
NUMBER = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.IGNORECASE)


class Query:
    """Parameters by name. Every reader raises ValueError that names the parameter and what it accepts."""

    def __init__(self, pairs: Sequence[tuple[str, str]]):
        self._values = dict(pairs)
        self._known: dict[str, None] = {}  # in the order asked for
        if len(self._values) < len(pairs):
            (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
            raise ValueError(f"parameter {_shown(twice)} is given more than once")
        for name, value in pairs:
            if len(value) > LONGEST:
                raise ValueError(f"{_shown(name)} must have at most {LONGEST} characters, got {len(value)}")

    def text(self, name: str) -> str | None:
        """The value as it is, or None where it is absent."""
        self._known[name] = None
        return self._values.get(name)

    def given(self, *names: str) -> tuple[str, ...]:
        """The values of those names that are there, whoever reads them."""
        return tuple(self._values[name] for name in names if name in self._values)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        text = self.text(name)
        if text is None:
            return default
        if not WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"{name} must be a whole number from {low} to {high}, got {_shown(text)}")
        return int(text)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        text = self.text(name)
        return default if text is None else _number(name, text, low, high)

    def choice(self, name: str, default: str, accepted: Sequence[str]) -> str:
        """One of several words."""
        text = self.text(name)
        if text is not None and text not in accepted:
            raise ValueError(f"{name} must be one of {', '.join(accepted)}, got {_shown(text)}")
        return default if text is None else text

    def matching(self, name: str, pattern: str, what: str) -> str | None:
        """A word of the form `pattern`, described to a person as `what`."""
        text = self.text(name)
        if text is not None and not re.fullmatch(pattern, text):
            raise ValueError(f"{name} must be {what}, got {_shown(text)}")
        return text

    def numbers(self, name: str, most: int, low: float, high: float) -> tuple[float, ...]:
        """At most `most` numbers between commas."""
        text = self.text(name)
        parts = text.split(",") if text else []
        if len(parts) > most:
            raise ValueError(f"{name} takes at most {most} numbers between commas, got {len(parts)}")
        return tuple(_number(name, part, low, high) for part in parts)

    def indexed(self, name: str, most: int, low: float, high: float) -> dict[int, float]:
        """INDEX:VALUE pairs between commas, indices from 0 to `most` - 1."""
        text = self.text(name)
        found: dict[int, float] = {}
        for part in text.split(",") if text else ():
            index, colon, value = part.partition(":")
            if not colon or not WHOLE.fullmatch(index) or not 0 <= int(index) < most:
                accepted = f"INDEX:VALUE pairs between commas, INDEX from 0 to {most - 1}"
                raise ValueError(f"{name} takes {accepted}, got {_shown(part)}")
            found[int(index)] = _number(name, value, low, high)
        return found

    def done(self) -> None:
        """Refuse whatever no reader asked for."""
        for name in self._values:
            if name not in self._known:
                hint = closest(name[:100], [*self._known])
                raise ValueError(
                    f"unknown parameter {_shown(name)}.{hint} Accepted: {', '.join(self._known)}."
                )


def _number(name: str, text: str, low: float, high: float) -> float:
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    if not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, got {_shown(text)}")
    return value


def _shown(text: str) -> str:
    """A visitor's text in one short printable line."""
    return ascii(text if len(text) <= 60 else text[:60] + "...")
