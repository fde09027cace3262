"""Which pictures a folder holds, and what its layout and its tables say of each, before any is opened."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cgan.data.base import Split
from cgan.data.files import OTHERS, SUFFIXES, Notes, inside
from cgan.data.table import FILE, LABEL, cell, find_table, plain, read_table

SPLITS: dict[str, Split] = {
    "train": "train",
    "test": "test",
    "validation": "test",
    "valid": "test",
    "val": "test",
}
PAIRED = {"images", "masks", "conditions"}
HIDDEN = (".", "__MACOSX")  # what such names begin with is no one's picture


@dataclass(frozen=True)
class Entry:
    """A picture and what is known of it."""

    path: Path
    label: str = ""
    row: Mapping[str, Any] = field(default_factory=dict)
    mask: Path | None = None
    condition: Path | None = None
    split: Split = "train"


def index(root: Path, notes: Notes) -> list[Entry]:
    """Every picture under `root`, a resolved path, that its layout and tables account for; the others are
    named.

    Raises ValueError if a table can't be read, or a link leads out of `root` where a part of the layout is
    expected.
    """
    folders = _folders(root, root)
    divided = "train" in folders and folders <= set(SPLITS)
    apart = divided and not find_table([root], root)
    homes = [root / name for name in sorted(folders)] if apart else [root]
    entries = [entry for home in homes for entry in _scan(home, root, notes)]
    tops = [entry.path.relative_to(root).parts[0] for entry in entries]
    if divided and len(set(tops)) > 1:
        splits = [SPLITS.get(top, "train") for top in tops]
    else:
        splits = [_drawn(entry.path.relative_to(root)) for entry in entries]
    return [replace(entry, split=split) for entry, split in zip(entries, splits, strict=True)]


def _folders(folder: Path, root: Path) -> set[str]:
    """Names of the folders in it that are not hidden. ValueError if one that has a part in the layout leads
    out of `root`."""
    found = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(HIDDEN)}
    for name in sorted(found & (PAIRED | SPLITS.keys())):
        if not inside(folder / name, root):
            raise ValueError(f"{folder / name} points outside the folder")
    return found


def _drawn(path: Path) -> Split:
    """One picture in ten is for testing; which, depends on its path in the folder alone."""
    digest = hashlib.sha256(os.fsencode(path.as_posix())).digest()
    return "test" if int.from_bytes(digest[:4], "big") < 2**32 // 10 else "train"


def _scan(home: Path, root: Path, notes: Notes) -> Iterator[Entry]:
    """The pictures of one folder that is laid out in one of the three ways."""
    folders = _folders(home, root)
    others = folders - PAIRED
    paired = "images" in folders and (not others or folders & {"masks", "conditions"})
    pictures = home / "images" if paired else home
    for name in sorted(others) if paired else ():
        notes((home / name).relative_to(root), "neither images, masks nor conditions; left out")
    files = list(_walk(pictures, root, notes))
    table = find_table([home, pictures], root)
    found = _by_table(table, files, root, notes) if table else _by_folder(pictures, files, notes)
    beside = {
        name: {_stem(path, home / name): path for path in _walk(home / name, root, notes)}
        for name in ("masks", "conditions")
        if pictures != home and name in folders
    }
    stems = {_stem(path, pictures) for path in files}
    for name, partners in beside.items():
        if alone := [path for stem, path in partners.items() if stem not in stems]:
            told = f"{len(alone):,} have no picture of the same name, such as {alone[0].name}"
            notes((home / name).relative_to(root), told)
    for entry in found:
        stem = _stem(entry.path, pictures)
        mask, condition = (beside.get(name, {}).get(stem) for name in ("masks", "conditions"))
        yield replace(entry, mask=mask, condition=condition)


def _stem(path: Path, folder: Path) -> str:
    """A file's path in its folder without what stands after the dot."""
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).with_suffix("").as_posix()


def _walk(folder: Path, root: Path, notes: Notes) -> Iterator[Path]:
    """The picture files under a folder, in order. Links are followed to files inside `root` only."""

    def unread(error: OSError) -> None:
        notes(Path(error.filename).relative_to(root), f"{error.strerror}; left out")

    others: list[str] = []
    for place, folders, names in os.walk(folder, onerror=unread):
        folders[:] = sorted(name for name in folders if not name.startswith(HIDDEN))
        for name in folders:
            if (Path(place) / name).is_symlink():
                notes((Path(place) / name).relative_to(root), "a linked folder is not followed; left out")
        for name in sorted(name for name in names if not name.startswith(HIDDEN)):
            path = Path(place) / name
            suffix = path.suffix.lower()
            others += [suffix] if suffix in OTHERS else []
            if suffix in SUFFIXES:
                if path.is_symlink() and not inside(path, root):
                    notes(path.relative_to(root), "points outside the folder; left out")
                else:
                    yield path
    if others:
        kinds = ", ".join(sorted(set(others)))
        files = "a file of another kind" if len(others) == 1 else f"{len(others):,} files of other kinds"
        notes(folder.name, f"{files} ({kinds}); left out")


def _by_folder(home: Path, files: list[Path], notes: Notes) -> Iterator[Entry]:
    """A picture's class is the folder it lies in, the topmost if there are several; where no picture lies in
    a folder there are no classes."""
    classes = any(path.parent != home for path in files)
    for path in files:
        if classes and path.parent == home:
            notes(path.name, "it lies in no class folder; left out")
        else:
            yield Entry(path, plain(path.relative_to(home).parts[0]) if classes else "")


def _by_table(table: Path, files: list[Path], root: Path, notes: Notes) -> Iterator[Entry]:
    """The pictures that a table names, each once."""
    unused = dict.fromkeys(files, True)
    for line, row in read_table(table, notes):
        name = cell(row.get(FILE))
        path = Path(os.path.normpath(table.parent / name))
        if path not in unused:  # as Windows writes it
            path = Path(os.path.normpath(table.parent / name.replace("\\", "/")))
        if unused.get(path):
            unused[path] = False
            yield Entry(path, cell(row.get(LABEL)), row)
            continue
        reason = "has a row already" if path in unused else "is no picture that is there"
        reason = reason if path.is_relative_to(root) else "points outside the folder"
        notes(f"{table.name} line {line}", f"{FILE} {name!r} {reason}; left out")
    if left := [path.name for path, free in unused.items() if free]:
        notes(table.name, f"{len(left):,} pictures have no row, such as {left[0]}; left out")
