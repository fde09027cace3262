"""The page of Markdown that tells of every form of condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cgan.card import Figure, figures
from cgan.forms.base import Form


@dataclass(frozen=True)
class Told:
    """A form with its model's metrics.json and the words of its strip's rows, none where pictures ask."""

    form: Form
    metrics: Mapping[str, Any]
    rows: Sequence[str]


MEANINGS = {
    ("obedience accuracy", False): "read as the label asked for",
    ("obedience score", False): "attributes, the mean of all",
    ("obedience spearman", True): "rank correlation of a number asked for and read",
    ("obedience accuracy", True): "read as the choice asked for",
    ("obedience term accuracy", False): "of what captions name, read as named",
    ("obedience terms", True): "the same by attribute",
    ("obedience whole", False): "pictures in which all that the caption names is right",
    ("obedience iou", False): "overlap with the map asked for (IoU), the mean of all classes",
    ("obedience classes", True): "the same by class",
    ("obedience pixels", False): "pixels of the class asked for",
    ("obedience f1", False): "lines of the answer against those asked for, F1",
    ("obedience edges", False): "lines asked for at which the answer has an edge",
    ("variety ratio", False): "variety within a label",
    ("noise variety", False): "variety by noise",
    ("frechet", False): "Fréchet distance, the lower the better",
}
"""By name and whether it is one of several of a kind, the figures of a card that the page shows."""

TOP = """\
# Ways to ask

<!-- `python -m cgan.forms` writes this page, its drawings and its strips from the bundled models. -->

A conditional GAN draws what it is asked for and leaves the rest to the noise. These are the forms in which
one can ask here: how each enters both networks, what comes of it, and how far it is obeyed.

**Drawings.** A column is a resolution, a box a feature map with its channels in it. The generator (blue)
grows from left to right, the discriminator (green) shrinks from right to left. What was asked (orange) and
the noise (violet) enter where their arrows end.

**Strips.** A row asks for one thing and a column has one noise: along a row you see what the noise does,
down a column what the condition does.

**Figures.** A judge that learned from real pictures alone reads what a picture shows. *Real* is the same
figure of real test pictures, which are right: what this judge makes of them; ± is the standard deviation
over {seeds} sample seeds. *Variety by noise* is how far apart pictures under one condition lie, over the
distance of any two real pictures (0: the noise is ignored); *variety within a label* is the same over that
of training pictures of the label. Of several of a kind the lowest stands here; each folder's `metrics.json`
has all. This command measures them into FILE; with `--record` they take the place of those in the folder, so
add `--usefulness 10000` where it has that:

```
python -m cgan evaluate --model assets/models/NAME --data-root DATA --count COUNT --json FILE
```
"""
END = """\
## Asking for nothing

With `--training.condition_dropout`, one in {one_in:.0f} in most of these models, a condition is withheld in
training: all zeros, or an empty sheet. The generator then also learns to draw unasked. The explorer's slider
*Strength* goes along the straight line from nothing (0) through what was asked (1) and
beyond: what classifier-free guidance (Ho & Salimans 2022) is to a score, this is to a generator's condition.

[Your own pictures](your-own-pictures.md) tells how to train each form on a folder, and [Every loss and
technique, measured](techniques.md) what the parts do.
"""


def page(told: Sequence[Told], pictures: str) -> str:
    """The page; `pictures` is the folder of drawings and strips as seen from it."""
    seeds = max(len(each.metrics["evaluation"]["seeds"]) for each in told)
    withheld = max(each.metrics["training"]["config"]["training"]["condition_dropout"] for each in told)
    parts = [TOP.format(seeds=seeds), *(_section(each, pictures) for each in told)]
    return "\n".join([*parts, END.format(one_in=1 / withheld)] if withheld else parts)


def _section(told: Told, pictures: str) -> str:
    form, evaluation = told.form, told.metrics["evaluation"]
    asked = f"The rows ask for {'; '.join(f'“{words}”' for words in told.rows)}."
    asked = asked if told.rows else "What a row asks for stands at its left."
    table = "\n".join(_lines(evaluation))
    return f"""\
## {form.title}

{form.first}

![{form.title}: where noise and condition enter both networks]({pictures}/{form.model}.svg)

**Generator.** {form.generator}

**Discriminator.** {form.discriminator}

![{form.title}: conditions, a row each, under eight noises]({pictures}/{form.model}.webp)

{asked}

| `{form.model}`, {evaluation["count"]:,} pictures a seed | generated | real |
| --- | --- | --- |
{table}

{form.references}.
"""


def _lines(evaluation: Mapping[str, Any]) -> Iterator[str]:
    """Of the table. A kind's lowest figure stands for all of the kind."""
    found: dict[tuple[str, bool], list[Figure]] = {}
    for figure in figures(evaluation):
        kind = " ".join(figure.name.split()[:2]) if figure.detail else figure.name
        found.setdefault((kind, figure.detail), []).append(figure)
    for kind, meaning in MEANINGS.items():
        if kind in found:
            figure = min(found[kind], key=lambda figure: figure.value)
            if figure.detail:
                meaning += f", lowest of {len(found[kind])}: {figure.name.removeprefix(kind[0]).strip()}"
            own = f"{figure.value:.3g}" + (f" ± {figure.spread:.1g}" if figure.spread else "")
            yield f"| {meaning} | {own} | {'' if figure.real is None else f'{figure.real:.3g}'} |"
