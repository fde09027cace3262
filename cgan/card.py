"""The model card: what a model is, how to use it, what made it and how good it is, from its folder alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from cgan.atomic import replacing
from cgan.conditions import Field, Paint, Sketch
from cgan.data import DATASETS
from cgan.model import CARD, METRICS, SAMPLES, ConditionalGAN, one_line, read_json

MARK = "<!-- Made from config.json and metrics.json; without this line, your own words stay as they are. -->"
HUB_DATASETS = {"mnist": "ylecun/mnist", "fashion-mnist": "zalando-datasets/fashion_mnist"}
DEEP = 2  # names that a figure of the whole has; what lies deeper is one of several of a kind
LONGEST = 150  # characters of an example that the card quotes
TASKS = {"text": "text-to-image", "mask": "image-to-image", "image": "image-to-image"}  # by form of condition

USE = """\
# {title}

{picture}A conditional GAN: a generator of {player:,} parameters and its discriminator of {critic:,}. It draws
{size}x{size} {colour} pictures like those of {dataset}, from noise and from what they are asked to show:

{fields}

## Use

With the code of this project:

```
python app.py --model {name}
python -m cgan sample --model {name} --count 16 --seed 1 --out samples.npz
```

```python
from cgan.hub import fetch
from cgan.model import ConditionalGAN

model = ConditionalGAN.load(fetch("{name}"))
asked = model.encoder.sample(16, seed=1)
images = model.sample(model.noise(seed=1, count=16), asked)  # uint8 [16, {channels}, {size}, {size}]
```

The same seed starts from the same noise on every machine. The weights are safetensors; nothing here is run.
"""
LIMITS = """\
## Limits

It knows only what {dataset} shows, with its omissions and its errors, at {size}x{size} pixels, and only the
conditions above. Pictures may resemble training pictures. It is made for learning and play, not as a source
of data about people or things.
"""


@dataclass(frozen=True)
class Figure:
    """One measured number, its spread over sample seeds, and the same number of real pictures."""

    name: str
    value: float
    spread: float | None
    real: float | None
    detail: bool = False  # one of several of a kind: an attribute's, a class's

    def row(self) -> str:
        """A line of the card's table."""
        own = f"{self.value:.4g}" + (f" ± {self.spread:.2g}" if self.spread is not None else "")
        return f"| {self.name} | {own} | {'' if self.real is None else f'{self.real:.4g}'} |"


def figures(evaluation: Mapping[str, Any]) -> list[Figure]:
    """The numbers of an evaluation (`cgan.metrics.report.evaluate`) that are one number each."""
    parts = [("", evaluation.get("generated"), evaluation.get("real"))]
    for key, part in evaluation.items():
        if isinstance(part, Mapping) and "generated" in part:
            parts.append((key, part["generated"], part.get("real")))
    return [figure for part in parts for figure in _walk(*part)]


def _walk(path: str, own: Any, real: Any, depth: int = 0) -> Iterator[Figure]:
    if (value := _number(own)) is not None:
        spread = own.get("std") if isinstance(own, Mapping) else None
        yield Figure(path.replace("_", " "), value, _number(spread), _number(real), depth > DEEP)
    elif isinstance(own, Mapping):
        for key, part in own.items():
            below = real.get(key) if isinstance(real, Mapping) else None
            yield from _walk(f"{path} {key}".strip(), part, below, depth + 1)


def _number(value: Any) -> float | None:
    """A finite number, or the mean of a summary; None for anything else."""
    value = value.get("mean") if isinstance(value, Mapping) else value
    return value if type(value) in (int, float) and math.isfinite(value) else None


def model_card(model: ConditionalGAN, metrics: Mapping[str, Any], name: str, picture: bool) -> ModelCard:
    """The card of a model that goes by `name` (USER/NAME or a folder), beside a samples.png if `picture`."""
    config, evaluation = model.config, _mapping(metrics, "evaluation")
    dataset, measured = config.dataset.title, figures(evaluation)
    values = {
        "title": name.rstrip("/").rsplit("/", 1)[-1],
        "name": name,
        "picture": f"![Pictures made by this model]({SAMPLES})\n\n" if picture else "",
        "player": sum(p.numel() for p in model.generator.parameters()),
        "critic": sum(p.numel() for p in model.discriminator.parameters()),
        "size": config.size,
        "channels": config.channels,
        "colour": "grey" if config.channels == 1 else "colour",
        "dataset": dataset,
        "fields": "\n".join(_accepts(field) for field in model.encoder.fields()),
    }
    made = _making(_mapping(metrics, "training"), name)
    sections = [USE.format(**values), made, _table(evaluation, measured)]
    body = "\n".join(section for section in [*sections, LIMITS.format(**values), MARK] if section)
    data = _metadata(model, values["title"], measured)
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body}\n", ignore_metadata_errors=False)


def _accepts(field: Field) -> str:
    """A condition's input as a line of a list, whatever its kind."""
    left_out = {"name", "colours"} | ({"examples"} if isinstance(field, Paint | Sketch) else set())
    texts = []
    for key, value in vars(field).items():
        if key in left_out:
            continue
        if not isinstance(value, tuple):
            texts.append(f"{key} {value:g}")
        elif any(value) and max(map(len, value)) <= LONGEST:
            texts.append((" to " if key == "ends" else ", ").join(_code(text) for text in value if text))
    return f"- {field.name} ({type(field).__name__.lower()}): {'; '.join(texts)}"


def _code(text: str) -> str:
    """A text in which no character has a meaning in Markdown."""
    return "`" + one_line(text).replace("`", "'") + "`"


def _mapping(metrics: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = metrics.get(key)
    return part if isinstance(part, Mapping) else {}


def _making(training: Mapping[str, Any], name: str) -> str:
    """How it was trained, as far as it is known: every run, the first one first."""
    rows = [f"- {key}: {one_line(training[key])}" for key in TRAINING if key in training]
    run, commands = training, []
    while run:
        commands += [str(run["command"])] if "command" in run else []
        run = _mapping(run, "began_from")
    made = [(command, len([*runs])) for command, runs in groupby(reversed(commands))]
    lines = [command + (f"  # {runs} runs" if runs > 1 else "") for command, runs in made]
    shown = ["```", *lines, "```\n"] if lines else []
    whole = [SEVERAL] if len(commands) > 1 else []
    if name.startswith("assets/") and any(f"--init {name} " in command for command in commands):
        whole.append(TODAY.format(preset=Path(name).name))
    whole = [" ".join(whole), ""] if whole else []
    return "\n".join(["## Training\n", *shown, *whole, *rows, ""]) if rows or commands else ""


SEVERAL = (
    "Each run began from the weights of the one before. kimg and minutes count all runs; the other lines "
    "describe the last."
)
TODAY = "Today `--preset {preset}` alone makes all runs of that preset."  # which was begun run by run
TRAINING = ("commit", "hardware", "processes", "torch", "kimg", "minutes")


def _table(evaluation: Mapping[str, Any], measured: list[Figure]) -> str:
    """The figures, beside the same of real pictures that no model was trained on."""
    if not measured:
        return ""
    name = _mapping(evaluation, "features").get("name")
    where = f" Distances are in the features {one_line(name)}, unless they name others." if name else ""
    count = f"{evaluation['count']} pictures a seed. " if "count" in evaluation else ""
    head = f"## Figures\n\n{count}Mean ± standard deviation over sample seeds.{where}\n"
    columns = ["| | this model | real test pictures |", "| --- | --- | --- |"]
    rows = [figure.row() for figure in measured if not figure.detail]
    details = [figure.row() for figure in measured if figure.detail]
    more = ["### One by one\n", *columns, *details, ""] if details else []
    return "\n".join([head, *columns, *rows, "", *more])


def _metadata(model: ConditionalGAN, title: str, measured: list[Figure]) -> ModelCardData:
    """The front matter."""
    config = model.config
    name = DATASETS.name_of(config.dataset)
    task = TASKS.get(config.condition.form, "unconditional-image-generation")  # the Hub has none for labels
    results = [
        EvalResult(
            task_type=task,
            dataset_type=HUB_DATASETS.get(name, name),
            dataset_name=config.dataset.title,
            metric_type=figure.name.split()[-1],
            metric_name=figure.name,
            metric_value=figure.value,
        )
        for figure in measured
        if not figure.detail
    ]
    return ModelCardData(
        library_name="cgan",
        pipeline_tag=task,
        tags=["gan", "conditional-gan", "image-generation", f"{config.condition.form}-conditional", name],
        datasets=[HUB_DATASETS[name]] if name in HUB_DATASETS else None,
        model_name=title,
        eval_results=results or None,
    )


def write_card(folder: Path, model: ConditionalGAN, name: str) -> None:
    """Write README.md for the model of `folder`, unless someone has put their own words there.

    ModelError if metrics.json can't be read, OSError if README.md can't be written.
    """
    path, metrics = folder / CARD, folder / METRICS
    if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        return
    figures_known = read_json(metrics) if metrics.exists() else {}
    card = model_card(model, figures_known, name, (folder / SAMPLES).exists())
    with replacing(path) as partial:
        partial.write_text(str(card), encoding="utf-8")
