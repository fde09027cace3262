"""The table of a study: every row's runs as one entry, beside the baseline's.

Keys of the table, ready for JSON:
- study, training {command, commits, hardware, torch, kimg, config: the baseline's, whole}
- measured {features, judge_accuracy, count, real: the figures of as many test pictures}
- spread: the standard deviation that one more seed shows, on `scale`, pooled over the rows in which nothing
  went wrong
- rows, each: name, title, group, flags, reference, sentence, seeds (that are done), commits, hardware,
  picture (whether it has)
    - figures: {NAME: {mean, std, values}} over the seeds that came to an end, None if none did
    - against: {NAME: {difference, clear}} from the baseline; see `against`
    - images_per_second: the same form, of training alone and at its fastest; seconds: that the run takes so
    - faults: {fault: seeds that met it}; lasting: {fault: seeds that still had it when they ended}
    - curve: [{kimg, NAME...}], means over the seeds that got so far
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cgan.metrics.report import summary
from cgan.study.base import BASELINE, Study

FIGURES = ("obedience", "frechet_ratio", "frechet", "kernel", "precision", "recall", "coverage")
COMPARED = ("obedience", "frechet_ratio", "recall")  # what rows are told apart by
TABLE = Path(__file__).parents[2] / "assets" / "studies" / "techniques.json"  # the bundled one
CLEAR = 2.0  # standard errors between two rows that differ

Run = Mapping[str, Any]


def entry(runs: Sequence[Run]) -> dict[str, Any]:
    """What the runs of one row, one a seed, say together."""
    ended = [run["figures"] for run in runs if run["figures"]]
    return {
        "seeds": [run["seed"] for run in runs],
        "commits": sorted({commit for run in runs for commit in run["commits"]}),
        "hardware": sorted({run["hardware"] for run in runs}),
        "figures": {name: summary([each[name] for each in ended]) for name in FIGURES} if ended else None,
        "images_per_second": summary([run["images_per_second"] for run in runs]),
        "seconds": summary([1000 * run["kimg"] / run["images_per_second"] for run in runs]),
        "faults": _count({each["fault"] for each in run["faults"]} for run in runs),
        "lasting": _count(set(run["lasting"]) for run in runs),
        "curve": _mean_curve([run["curve"] for run in runs]),
    }


def _count(found: Any) -> dict[str, int]:
    every = [fault for faults in found for fault in faults]
    return {fault: every.count(fault) for fault in sorted(set(every))}


def _mean_curve(curves: Sequence[Sequence[Mapping[str, float]]]) -> list[dict[str, float]]:
    marks = sorted({point["kimg"] for curve in curves for point in curve})
    at = {mark: [point for curve in curves for point in curve if point["kimg"] == mark] for mark in marks}
    names = ("kimg", "obedience", "frechet_ratio")
    return [{name: statistics.fmean(p[name] for p in points) for name in names} for points in at.values()]


def scale(name: str, value: float, count: int) -> float:
    """A figure of `count` pictures on the scale where seeds differ about as much in every row: the logarithm
    of a distance, and of a share's odds, which are at least half a picture from none and from all."""
    if name == "frechet_ratio":
        return math.log(max(value, 1e-12))
    share = min(max(value, 0.5 / count), 1 - 0.5 / count)
    return math.log(share / (1 - share))


def spread(entries: Sequence[Mapping[str, Any]], count: int) -> dict[str, float]:
    """The standard deviation of one seed, on `scale`, pooled over the rows that met no fault.

    Two seeds say little of how much seeds differ, the rows together say enough.
    """
    calm = [each["figures"] for each in entries if each["figures"] and not each["faults"]]
    found = {}
    for name in COMPARED:
        groups = [[scale(name, value, count) for value in figures[name]["values"]] for figures in calm]
        variances = [statistics.variance(group) for group in groups if len(group) > 1]
        if variances:
            found[name] = math.sqrt(statistics.fmean(variances))
    return found


def against(
    figures: Mapping[str, Any], baseline: Mapping[str, Any], one: Mapping[str, float], count: int
) -> dict[str, Any]:
    """{NAME: {difference, clear}} of a row's figures from the baseline's.

    The difference is that of the means; of distances on `scale`, exp of it is the factor between them. It is
    clear if on `scale` it is larger than `CLEAR` standard errors, `one` being the standard deviation of a
    single seed; None if unknown.
    """
    found = {}
    for name in COMPARED:
        values = [each[name]["values"] for each in (figures, baseline)]
        own, other = (statistics.fmean(scale(name, v, count) for v in each) for each in values)
        plain = statistics.fmean(values[0]) - statistics.fmean(values[1])
        clear = None
        if name in one:
            error = one[name] * math.sqrt(sum(1 / len(each) for each in values))
            clear = abs(own - other) > CLEAR * error
        found[name] = {"difference": own - other if name == "frechet_ratio" else plain, "clear": clear}
    return found


def table(
    study: Study,
    runs: Mapping[str, Sequence[Run]],
    training: Mapping[str, Any],
    measured: Mapping[str, Any],
    pictures: set[str],
) -> dict[str, Any]:
    """The table of `runs`, by row. Rows without any are left out."""
    entries = {row.name: entry(runs[row.name]) for row in study.rows if runs.get(row.name)}
    count = measured["count"]
    one = spread(list(entries.values()), count)
    baseline = entries[BASELINE]["figures"] if BASELINE in entries else None
    rows = []
    for row in study.rows:
        if row.name not in entries:
            continue
        own = entries[row.name]
        compared = None
        if baseline and own["figures"] and row.name != BASELINE:
            compared = against(own["figures"], baseline, one, count)
        about = {key: getattr(row, key) for key in ("name", "title", "group", "reference", "sentence")}
        about |= {"flags": dict(row.flags), "picture": row.name in pictures}
        rows.append({**about, **own, "against": compared})
    found = {"study": study.name, "training": training, "measured": measured, "spread": one, "rows": rows}
    return _rounded(found)


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def read(path: Path) -> dict[str, Any]:
    """A table that `table` made. FileNotFoundError if there is none, ValueError if it is something else."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or not {"study", "training", "measured", "rows"} <= found.keys():
        raise ValueError(f"{path}: not the table of a study")
    return found
