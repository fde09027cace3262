"""Where two sets of pictures lie in feature space: precision, recall, coverage, variety, nearest ones.

Shapes: N real, M generated (or other) pictures, F feature width, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

NEIGHBOURS = 5  # k of every k-nearest-neighbour ball, as in Naeem et al. 2020
ROWS = 500
MOST = 1000  # pictures whose distances from each other are taken
FINEST = 32  # height and width at which near pictures are looked for


@dataclass(frozen=True)
class Manifold:
    """Features, and around each the ball that reaches to its k-th nearest neighbour."""

    features: Tensor  # [N, F]
    radii: Tensor  # [N]
    neighbours: int

    @staticmethod
    def of(features: Tensor, neighbours: int = NEIGHBOURS) -> Manifold:
        """Of features [N, F]. ValueError if there are too few pictures to have `neighbours` neighbours."""
        if len(features) <= neighbours:
            raise ValueError(f"{neighbours} neighbours need over {neighbours} pictures, got {len(features)}")
        near = [
            torch.cdist(rows, features).topk(neighbours + 1, largest=False).values.amax(1)
            for rows in features.split(ROWS)
        ]  # a picture's own distance to itself, 0, is the first of the k + 1
        return Manifold(features, torch.cat(near), neighbours)


def manifold_figures(real: Manifold, other: Manifold) -> dict[str, float]:
    """How well another set covers, and stays within, the real one.

    - precision: share of the others inside some real ball (Kynkäänniemi et al. 2019, equation 2), 0 to 1
    - recall: share of the real inside some ball of the others (the same), 0 to 1
    - density: real balls around an other, over k (Naeem et al. 2020), 0 up, 1 for the real thing
    - coverage: share of real balls that hold some other (Naeem et al. 2020), 0 to 1
    """
    holding = torch.zeros(len(other.features))  # real balls around each of the others
    recalled = covered = 0
    for rows, radii in zip(real.features.split(ROWS), real.radii.split(ROWS), strict=True):
        distance = torch.cdist(rows, other.features)  # [rows, M]
        inside = distance < radii[:, None]
        holding += inside.sum(0)
        covered += inside.any(1).sum().item()
        recalled += (distance < other.radii).any(1).sum().item()
    return {
        "precision": (holding > 0).double().mean().item(),
        "recall": recalled / len(real.features),
        "density": holding.double().mean().item() / real.neighbours,
        "coverage": covered / len(real.features),
    }


def variety(features: Tensor, labels: Tensor, classes: int) -> list[float]:
    """Mean distance between two pictures of the same class, for each class.

    Of features [M, F] and labels [M] int64, the first MOST of a class. ValueError if a class has under 2.
    """
    spread = []
    for label in range(classes):
        members = features[labels == label][:MOST]
        if len(members) < 2:
            raise ValueError(
                f"variety needs at least 2 pictures of every class, class {label} has {len(members)}"
            )
        spread.append(torch.pdist(members).mean().item())
    return spread


def noise_variety(features: Tensor, noises: int, real: Tensor) -> float:
    """Mean distance between two pictures of the same condition over that between two real pictures, whatever
    they show: 0 if the noise changes nothing.

    Of features [M, F], each condition's `noises` pictures in a row, and of the first MOST real ones [N, F].
    ValueError if a condition has under 2 pictures, or all real ones are alike.
    """
    if noises < 2 or len(features) % noises:
        raise ValueError(f"variety under the noise needs 2 or more pictures a condition, got {noises}")
    groups = features.view(-1, noises, features.shape[1])
    within = torch.cdist(groups, groups).sum() / (len(groups) * noises * (noises - 1))
    apart = torch.pdist(real[:MOST]).mean()
    if not apart:
        raise ValueError("all real test pictures are alike: there is no variety to tell")
    return (within / apart).item()


def nearest(queries: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest reference picture of each query: root mean square difference [M], 0 to 1, and index [M].

    Pictures uint8 [M, C, H, W] and [N, C, H, W]; of more than 32x32 pixels, averages of neighbouring ones. In
    pixels, not features: a classifier's features are made to forget what makes a picture this one and no
    other.
    """
    queries, references = _pixels(queries), _pixels(references)
    half = references.square().sum(1) / 2  # |q - r|^2 / 2 without the query's own part
    index = torch.cat(
        [torch.addmm(half, rows, references.T, alpha=-1).argmin(1) for rows in queries.split(ROWS)]
    )
    return (queries - references[index]).square().mean(1).sqrt(), index


def _pixels(images: Tensor) -> Tensor:
    """[N, P] float, 0 to 1."""
    size = images.shape[-1]
    factor = -(-size // FINEST)
    parts = images.split(ROWS) if factor > 1 else [images]
    return torch.cat([F.avg_pool2d(part.float(), factor, ceil_mode=True).flatten(1) for part in parts]) / 255


def memorisation(distances: Tensor, fresh: Tensor) -> dict[str, float]:
    """Whether pictures lie nearer to the training set than fresh real ones do: a copying model shows here.

    From `nearest` distances of the pictures [M] and of real pictures never trained on [N]:
    - distance: their mean; ratio: over that of the fresh ones, well below 1 if pictures are copied
    - copies: share nearer than all but 1 % of the fresh ones, so 0.01 for the real thing
    """
    mean = distances.mean().item()
    return {
        "distance": mean,
        "ratio": mean / fresh.mean().item(),
        "copies": (distances < fresh.quantile(0.01)).double().mean().item(),
    }
