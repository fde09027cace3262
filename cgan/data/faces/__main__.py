"""python -m cgan.data.faces sheet --out FILE: a contact sheet of test faces."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from cgan.cli import Parser, fail
from cgan.data.faces.dataset import Faces


def sheet(rows: int, columns: int, first: int, size: int) -> Image.Image:
    """`rows` x `columns` faces."""
    drawn = Faces(size=size).draw("test", first, rows * columns)
    faces = drawn["images"].reshape(rows, columns, 3, size, size)
    return Image.fromarray(faces.transpose(0, 3, 1, 4, 2).reshape(rows * size, columns * size, 3))


def main(argv: list[str] | None = None) -> int:
    parser = Parser(prog="python -m cgan.data.faces", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("sheet", help="write a contact sheet of test faces")
    command.add_argument("--out", type=Path, required=True, help="a PNG file")
    command.add_argument("--rows", type=int, default=5)
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
