"""python -m cgan.study [--table FILE] [--out FILE]: the page that tells of a study's table."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cgan.cli import Parser, fail
from cgan.study.docs import page
from cgan.study.table import TABLE, read


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page. 2 after one line on what was wrong with the input."""
    parser = Parser(prog="python -m cgan.study", description="Write a study's page from its table.")
    parser.add_argument("--table", type=Path, default=TABLE, metavar="FILE", help="default: the bundled one")
    out = Path("docs") / "techniques.md"
    parser.add_argument("--out", type=Path, default=out, metavar="FILE", help="default: %(default)s")
    arguments = parser.parse_args(argv)
    pictures = arguments.table.with_suffix("").resolve()
    try:
        text = page(
            read(arguments.table), Path(os.path.relpath(pictures, arguments.out.resolve().parent)).as_posix()
        )
        arguments.out.write_text(text, encoding="utf-8")
    except (ValueError, OSError) as error:
        return fail("python -m cgan.study", error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
