"""A study's table as a page of Markdown that a student can read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cgan.study.base import BASELINE
from cgan.study.techniques import GROUPS

NAMES = {"obedience": "Obedience", "frechet_ratio": "Fréchet distance", "recall": "Recall"}
COLUMNS = ("", "Obedience ↑", "Fréchet ÷ floor ↓", "Kernel ↓", "Recall ↑", "Pictures/s", "Seconds")
COLUMNS += ("Beside the baseline", "Went wrong")

Entry = Mapping[str, Any]


def page(table: Mapping[str, Any], pictures: str) -> str:
    """The page; `pictures` is the folder of the rows' pictures as seen from it."""
    rows = {group: [row for row in table["rows"] if row["group"] == group] for group in GROUPS}
    usual = next((row for row in table["rows"] if row["name"] == BASELINE), table["rows"][0])
    parts = [_top(table, usual), _cells(COLUMNS), "|---" * len(COLUMNS) + "|"]
    for group, members in rows.items():
        if members and group != GROUPS[0]:
            parts.append(_cells([f"**{group}**", *[""] * (len(COLUMNS) - 1)]))
        parts += [_line(row) for row in members]
    parts += ["", _reading(table)]
    for group, members in rows.items():
        if members:
            parts.append(f"## {group}\n")
            parts += [_section(row, pictures, row["hardware"] != usual["hardware"]) for row in members]
    return "\n".join(parts).rstrip() + "\n"


def _top(table: Entry, usual: Entry) -> str:
    training, config = table["training"], table["training"]["config"]
    seeds = max(len(row["seeds"]) for row in table["rows"])
    options, generator, critic = config["training"], config["generator"], config["discriminator"]
    hardware, commits = " and ".join(usual["hardware"]), ", ".join(usual["commits"])
    command = (
        training["command"].replace("--data-root DIR", "--data-root DATA").replace("--out DIR", "--out OUT")
    )
    return f"""\
# Every loss and technique, measured

<!-- `python -m cgan.study` writes this page from assets/studies/{table["study"]}.json. -->

One small conditional GAN is the baseline, and every row changes one thing of it, or the few that its
flags name: the same {training["kimg"]:g} thousand MNIST pictures seen, {_seeds(seeds)}, scored on the same
{table["measured"]["count"]:,} noises and labels. This is what the techniques do to a small network in a
short training, and no verdict on them: what helps here may not help elsewhere, and the reverse.

Generator: `{generator["block"]}` blocks of widths {_list(generator["widths"])},
{generator["noise_dim"]} noise numbers, {generator["norm"]["name"]} norm. Discriminator:
`{critic["block"]}` convolutions of widths {_list(critic["widths"])}, {critic["head"]} head. Batch
{options["batch"]}, Adam at {options["generator_optimizer"]["lr"]:g}. Trained on
{hardware}, PyTorch {training["torch"]}, commit {commits}.

```
{command}
cp -r OUT/{table["study"]}.json OUT/{table["study"]} assets/studies/
python -m cgan.study
```

The first command resumes, row by row; started twice, or with `--processes N`, processes share the rows.
`--rows lsgan,hinge` trains these beside the baseline. With a GPU: `--training.kimg 3000 --seeds 3`.
"""


def _seeds(count: int) -> str:
    return "one training seed" if count == 1 else f"the same {count} training seeds"


def _list(numbers: Any) -> str:
    return ", ".join(str(number) for number in numbers)


def _reading(table: Entry) -> str:
    real, one, known = table["measured"]["real"], table["spread"], ""
    if one:
        known = f"""
Distances are compared by their ratio and shares by their odds, p to 1 − p, since a point is little at 87 %
and much at 99 %. Another seed changes the odds of obedience by {_percent(one["obedience"])} %, the Fréchet
distance by {_percent(one["frechet_ratio"])} % and the odds of recall by {_percent(one["recall"])} %: one
standard deviation, pooled over all rows in which nothing went wrong. “Better” and “worse” mean a difference
from the baseline of more than two standard errors.
"""
    return f"""\
± is the standard deviation between seeds. Obedience: pictures that an independent classifier reads as the
label asked for; of real test pictures it reads {100 * real["obedience"]:.2f} % rightly. Fréchet ÷ floor: the
distance to the training set over that of as many test pictures, in the features of
{table["measured"]["features"]}, our own classifier; it is not the usual FID. Kernel: squared maximum mean
discrepancy in the same features. Recall: real pictures that lie among the generated ones;
{100 * real["recall"]:.1f} % for test pictures. Pictures/s and seconds: of training alone, at its
fastest.
{known}"""


def _percent(logarithm: float) -> str:
    return f"{100 * math.expm1(logarithm):.0f}"


def _line(row: Entry) -> str:
    figures = row["figures"]
    cells = ["–"] * 4
    if figures:
        cells = [
            _with_spread(figures["obedience"], lambda value: f"{100 * value:.2f}", " %"),
            _with_spread(figures["frechet_ratio"], _short),
            _with_spread(figures["kernel"], lambda value: f"{value:.2g}"),
            _with_spread(figures["recall"], lambda value: f"{100 * value:.1f}", " %"),
        ]
    cells += [f"{row[name]['mean']:,.0f}" for name in ("images_per_second", "seconds")]
    title = f"[{row['title']}](#{anchor(row['title'])})"
    return _cells([title, *cells, _words(row), _wrong(row)])


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def anchor(title: str) -> str:
    """The fragment under which a heading of that title is found, as GitHub makes it."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _with_spread(found: Entry, write: Any, unit: str = "") -> str:
    spread = f" ± {write(found['std'])}" if found["std"] is not None else ""
    return f"{write(found['mean'])}{spread}{unit}"


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _words(row: Entry) -> str:
    """Which figures are clearly better or worse than the baseline's."""
    if not row["against"]:
        return "" if row["figures"] else "no pictures to score"
    verdicts = {name: verdict(name, found) for name, found in row["against"].items()}
    found = [
        f"{word}: {', '.join(NAMES[name] for name in named).lower()}"
        for word in ("better", "worse")
        if (named := [name for name, given in verdicts.items() if given == word])
    ]
    return "; ".join(found).replace("fréchet", "Fréchet") or verdicts["frechet_ratio"]


def verdict(name: str, found: Entry) -> str:
    """What a difference from the baseline is worth."""
    if found["clear"] is None:
        return "one seed can't tell"
    if not found["clear"]:
        return "no clear difference"
    return "better" if (found["difference"] < 0) == (name == "frechet_ratio") else "worse"


def _wrong(row: Entry) -> str:
    seeds = len(row["seeds"])
    return ", ".join(
        f"{fault} ({'in the end' if row['lasting'].get(fault) else 'for a while'}, {count} of {seeds})"
        for fault, count in row["faults"].items()
    )


def _section(row: Entry, pictures: str, alone: bool) -> str:
    flags = " ".join(f"--{path} {text}" for path, text in row["flags"].items())
    lines = [f"### {row['title']}\n", f"{row['sentence']} ({row['reference']})\n"]
    if flags:
        lines.append(f"`{flags}`\n")
    if row["name"] != BASELINE:
        lines.append(f"{_measured(row)}\n")
    if alone:
        where, when = " and ".join(row["hardware"]), ", ".join(row["commits"])
        lines.append(f"Trained on {where}, commit {when}: its pictures a second are not to be compared.\n")
    if row["picture"]:
        lines.append(f"![{row['title']}: six noises under ten labels]({pictures}/{row['name']}.webp)\n")
    return "\n".join(lines)


def _measured(row: Entry) -> str:
    """What the numbers say, in words."""
    said = []
    for name, found in (row["against"] or {}).items():
        change = found["difference"]
        size = (
            f"{math.exp(change):.2f} times the baseline's"
            if name == "frechet_ratio"
            else f"{100 * change:+.2f} points".replace("-", "−")
        )
        said.append(f"{NAMES[name]} {size}: {verdict(name, found)}.")
    if row["faults"]:
        said.append(f"Went wrong: {_wrong(row)}.")
    if not row["figures"]:
        said.append("No run came to an end with finite weights, so there is nothing to score.")
    return " ".join(said)
