"""What a run would train, and what its data were understood as, for the person who starts it.

Shapes: N pictures, A attributes, H x W pixels.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from cgan.conditions.text import LONGEST_CAPTION, words
from cgan.config import Config, to_json
from cgan.data import Images
from cgan.data.files import printable
from cgan.model import ConditionalGAN
from cgan.types import Attribute

MOST = 8  # things of a kind that a line names

Targets = Mapping[str, Any]


def dry_run(configs: Sequence[Config], data_root: Path | None, download: bool, init: str | None) -> None:
    """Print what would be trained, on what, and from which weights."""
    config = configs[0]
    data = config.dataset.load(data_root, "train", download) if data_root else None
    print(describe(config, data))
    if init:
        print(f"begins from the weights of {init}")
    for later in configs[1:]:
        print(f"then, from the weights before: {changes(config, later)}")
    if data:
        sys.stdout.flush()
        tell(data)


def describe(config: Config, data: Images | None) -> str:
    """The resolved configuration as JSON and the networks' sizes, for which some data sets must be read. Of
    the condition it leaves out what follows from the data."""
    dataset, resolved = config.dataset, to_json(config)
    if data:
        targets, size, channels = data.targets, data.size, data.channels
    elif dataset.classes and config.condition.form == "label":
        targets, size, channels = {"classes": dataset.classes}, dataset.size, dataset.channels
    else:
        more = "the networks' sizes follow from the data: add --data-root DATA"
        return f"{json.dumps(resolved, indent=1)}\n{more}"
    model = ConditionalGAN(config.model(targets, size, channels))
    fitted = to_json(model.config.condition)
    resolved["condition"] = {k: v for k, v in resolved["condition"].items() if v == fitted[k]}
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    sizes = [f"{name}: {count:,} parameters" for name, count in counts.items()]
    return "\n".join([json.dumps(resolved, indent=1), *sizes])


def changes(before: Config, config: Config) -> str:
    """What differs between two configurations, as flags."""
    one, other = flat(to_json(before)), flat(to_json(config))
    return " ".join(f"--{path} {value}" for path, value in other.items() if one.get(path) != value)


def flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested dictionary by dotted paths."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def tell(data: Images) -> None:
    """What the data were understood as, on stderr, which any console takes in any script."""
    print("\n".join(map(printable, summary(data))), file=sys.stderr, flush=True)


def summary(data: Images) -> list[str]:
    """How many pictures there are to train on, and what --condition may ask of them."""
    colour = "in colour" if data.channels == 3 else "in grey"
    told = {form: tell(data.targets) for form, tell in TELLERS.items() if form in data.targets}
    return [
        f"{len(data):,} pictures to train on, {data.size}x{data.size} {colour}",
        *data.notes,
        *(f"--condition {form}: {line}" for form, line in told.items()),
    ]


def _list(parts: Iterable[str], separator: str = ", ") -> str:
    """The first of them, and how many more."""
    parts = list(parts)
    more = f"{separator}{len(parts) - MOST:,} more" if len(parts) > MOST else ""
    return separator.join(parts[:MOST]) + more


def _counted(names: Iterable[str], values: Tensor) -> str:
    """How often each of the names is there, whose places the values [N] are."""
    names = list(names)
    counts = values.long().bincount(minlength=len(names)).tolist()
    return _list(f"{name} {count:,}" for name, count in zip(names, counts, strict=True))


def _label(targets: Targets) -> str:
    return _counted(targets["classes"], targets["label"])


def _attributes(targets: Targets) -> str:
    def tell(attribute: Attribute, values: Tensor) -> str:
        if attribute.choices:
            return f"{attribute.name} ({_counted(attribute.choices, values)})"
        return f"{attribute.name} ({attribute.low:g} to {attribute.high:g})"

    return _list(map(tell, targets["attribute_fields"], targets["attributes"].unbind(1)))


def _text(targets: Targets) -> str:
    captions = [caption for row in targets["text"] for caption in row]
    tokens = [words(caption) for caption in captions]
    longest = max(map(len, tokens), default=0)
    read = f", of which {LONGEST_CAPTION} are read" if longest > LONGEST_CAPTION else ""
    first = next((caption for caption, own in zip(captions, tokens, strict=True) if own), "")
    known = len({word for own in tokens for word in own})
    return f"{known:,} different words or signs, at most {longest} in a caption{read}, such as {first!r}"


def _mask(targets: Targets) -> str:
    shares = targets["mask"].flatten().bincount(minlength=256) / targets["mask"].numel()
    names = dict(enumerate(targets["mask_classes"])) | {255: "anything"}
    return _list(
        f"{name} {shares[place]:.1%}" for place, name in names.items() if shares[place] or place < 255
    )


def _image(targets: Targets) -> str:
    return f"pictures {'in colour' if targets['image'].shape[1] == 3 else 'in grey'}"


TELLERS: dict[str, Callable[[Targets], str]] = {
    "label": _label,
    "attributes": _attributes,
    "text": _text,
    "mask": _mask,
    "image": _image,
}
