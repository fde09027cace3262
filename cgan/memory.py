"""Memory that stays: glibc gives a freed block of a few megabytes back to the kernel, so that on a CPU every
feature map of every step is mapped, and its pages filled with zeros, anew."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # mallopt(3)
MOST = 2**31 - 1  # bytes; the largest C int


def keep() -> bool:
    """Ask glibc to keep what is freed, for the whole process. Whether it will: False where there is no
    glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; on Windows there is none to be had so
        return False
    return mallopt(TRIM_THRESHOLD, MOST) == mallopt(MMAP_THRESHOLD, MOST) == 1
