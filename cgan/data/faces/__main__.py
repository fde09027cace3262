"""python -m cgan.data.faces sheet --out FILE: a contact sheet of test faces, the last with map and lines."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from cgan.cli import Parser, fail
from cgan.data.faces.attributes import CLASSES
from cgan.data.faces.dataset import Faces


def sheet(rows: int, columns: int, first: int, size: int) -> Image.Image:
    """`rows` x `columns` faces, and below them the maps and the line drawings of the last row."""
    drawn = Faces(size=size).draw("test", first, rows * columns)
    palette = np.array([ImageColor.getrgb(colour) for colour in CLASSES.values()], np.uint8)
    faces = drawn["images"].transpose(0, 2, 3, 1)
    maps = palette[drawn["mask"][-columns:]]
    lines = drawn["image"][-columns:].transpose(0, 2, 3, 1).repeat(3, axis=3)
    tiles = np.concatenate([faces, maps, lines]).reshape(rows + 2, columns, size, size, 3)
    picture = tiles.transpose(0, 2, 1, 3, 4).reshape((rows + 2) * size, columns * size, 3)
    return Image.fromarray(picture).quantize(256, dither=Image.Dither.NONE)


def main(argv: list[str] | None = None) -> int:
    parser = Parser(prog="python -m cgan.data.faces", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("sheet", help="write a contact sheet of test faces")
    command.add_argument("--out", type=Path, required=True, help="a PNG file")
    command.add_argument("--rows", type=int, default=4)
    command.add_argument("--columns", type=int, default=12)
    command.add_argument("--first", type=int, default=0, help="index of the first face")
    command.add_argument("--size", type=int, default=64, help="pixels of a face")
    args = parser.parse_args(argv)
    if args.rows < 1 or args.columns < 1 or args.first < 0:
        return fail(parser.prog, "--rows and --columns must be at least 1, --first at least 0")
    try:
        sheet(args.rows, args.columns, args.first, args.size).save(args.out, optimize=True)
    except (ValueError, OSError) as error:
        return fail(parser.prog, error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
