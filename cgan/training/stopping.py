"""Stopping by hand, at a place of the trainer's choice."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
UNTOUCHED = (signal.default_int_handler, signal.SIG_DFL)


@contextmanager
def asked_to_stop(patient: bool = False) -> Iterator[Callable[[], bool]]:
    """Within the block, Ctrl-C and SIGTERM do nothing but make what it yields say True, and the block ends
    with KeyboardInterrupt; a second Ctrl-C is one at once, unless the caller is `patient`. Nothing changes
    where somebody else handles or ignores a signal, and outside the main thread, which alone may handle
    signals."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and signal.SIGINT in received and not patient:
            raise KeyboardInterrupt
        received.append(number)

    listening = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in SIGNALS if listening}
    before = {number: handler for number, handler in before.items() if handler in UNTOUCHED}
    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        raise KeyboardInterrupt
