"""python -m cgan.forms: writes the page on every form of condition, with its drawings and strips."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cgan.cli import Parser, fail
from cgan.forms.base import FORMS, Form
from cgan.forms.drawing import draw
from cgan.forms.page import Told, page
from cgan.forms.strip import beside, examples, strip
from cgan.model import BUNDLED, METRICS, ConditionalGAN, read_json

PICTURES = "images/conditions"  # beside the page
QUALITY = 80  # of the strips, as WebP


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page. 2 after one line on what was wrong with the input."""
    parser = Parser(prog="python -m cgan.forms", description="Write the page on every form of condition.")
    parser.add_argument(
        "--models", type=Path, default=BUNDLED, metavar="DIR", help="default: the bundled ones"
    )
    out = Path("docs") / "conditions.md"
    parser.add_argument("--out", type=Path, default=out, metavar="FILE", help="default: %(default)s")
    arguments = parser.parse_args(argv)
    pictures = arguments.out.parent / PICTURES
    try:
        pictures.mkdir(parents=True, exist_ok=True)
        told = [tell(form, arguments.models / form.model, pictures) for form in bundled(arguments.models)]
        arguments.out.write_text(page(told, PICTURES), encoding="utf-8")
    except (ValueError, OSError) as error:
        return fail("python -m cgan.forms", error)
    return 0


def bundled(models: Path) -> list[Form]:
    """The forms that have a measured model there. ValueError if there is none."""
    paths = [(form, models / form.model / METRICS) for form in FORMS]
    found = [form for form, path in paths if path.exists() and "evaluation" in read_json(path)]
    if not found:
        raise ValueError(f"{models} holds none of {', '.join(form.model for form in FORMS)}, measured")
    return found


def tell(form: Form, folder: Path, pictures: Path) -> Told:
    """What the page says of a form, its drawing and strip written to `pictures`."""
    model = ConditionalGAN.load(folder)
    rows = form.rows or examples(model)
    (pictures / f"{form.model}.svg").write_text(draw(model, form.title), encoding="utf-8")
    strip(model, list(rows.values())).save(pictures / f"{form.model}.webp", quality=QUALITY, method=6)
    return Told(form, read_json(folder / METRICS), [] if beside(model) else list(rows))


if __name__ == "__main__":
    sys.exit(main())
