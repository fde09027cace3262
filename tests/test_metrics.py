"""The formulas: against torchmetrics and prdc on fixed inputs, and where the answer is known.

Shapes: N pictures, F feature width, K classes.
"""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
import torch
from prdc import compute_prdc
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from cgan.metrics import MEASURES
from cgan.metrics.classifier import Recipe, augment
from cgan.metrics.frechet import Gaussian, frechet_distance, kernel_distance
from cgan.metrics.inception import inception_v3_fid
from cgan.metrics.judge import Judgement, Subjects
from cgan.metrics.manifold import Manifold, manifold_figures, memorisation, nearest, variety
from cgan.metrics.report import across, subset, summary


def features(count: int, seed: int, width: int = 8, shift: float = 0.0) -> torch.Tensor:
    """Correlated, rectified features [count, width], as a network's are."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width, width, generator=torch.Generator().manual_seed(99))
    return (torch.randn(count, width, generator=generator) @ mixing + shift).relu()


class Passthrough(nn.Module):
    """Lets torchmetrics measure features as they are."""

    num_features = 8

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_frechet_distance_is_that_of_torchmetrics():
    a, b = features(500, 1), features(300, 2, shift=0.3)
    theirs = FrechetInceptionDistance(feature=Passthrough())
    theirs.update(a, real=True)
    theirs.update(b, real=False)
    assert frechet_distance(Gaussian.of(a), Gaussian.of(b)) == pytest.approx(
        theirs.compute().item(), rel=1e-5
    )


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`:UserWarning")
def test_kernel_distance_is_that_of_torchmetrics():
    a, b = features(300, 1), features(300, 2, shift=0.3)
    theirs = KernelInceptionDistance(feature=Passthrough(), subsets=1, subset_size=300)
    theirs.update(a, real=True)
    theirs.update(b, real=False)
    assert kernel_distance(a, b) == pytest.approx(theirs.compute()[0].item(), rel=1e-4)


@pytest.mark.parametrize("neighbours", [1, 5])
def test_manifold_figures_are_those_of_prdc(neighbours):
    a, b = features(700, 1), features(520, 2, shift=0.5)
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = compute_prdc(a.numpy(), b.numpy(), nearest_k=neighbours)
    ours = manifold_figures(Manifold.of(a, neighbours), Manifold.of(b, neighbours))
    assert ours == pytest.approx({key: float(value) for key, value in theirs.items()}, abs=0.002)


def test_frechet_distance_of_known_gaussians():
    """N(0, I) and N(m, 4 I) in F dimensions are |m|^2 + F (2 - 1)^2 apart."""
    zeros, eye = torch.zeros(3).double(), torch.eye(3).double()
    far = Gaussian(torch.tensor([1.0, 2.0, 2.0]).double(), 4 * eye)
    assert frechet_distance(Gaussian(zeros, eye), far) == pytest.approx(9 + 3)
    assert frechet_distance(far, far) == pytest.approx(0, abs=1e-9)


def test_distances_of_two_real_samples_are_near_zero_and_grow_with_noise():
    real, fresh = features(4000, 1), features(4000, 2)
    frechets, kernels = [], []
    for noise in (0.0, 0.7, 1.5, 3.0):
        noisy = fresh + noise * torch.randn(fresh.shape, generator=torch.Generator().manual_seed(3))
        frechets.append(frechet_distance(Gaussian.of(real), Gaussian.of(noisy)))
        kernels.append(kernel_distance(real, noisy))
    assert frechets == sorted(frechets)
    assert kernels == sorted(kernels)
    assert 0 < frechets[0] < 0.02 * frechets[-1]
    assert abs(kernels[0]) < 0.02 * kernels[-1]


def test_manifold_figures_of_known_sets():
    real, fresh = features(1000, 1), features(1000, 2)
    same = manifold_figures(Manifold.of(real), Manifold.of(fresh))
    assert min(same["precision"], same["recall"], same["coverage"]) > 0.85
    assert same["density"] == pytest.approx(1, abs=0.1)
    away = manifold_figures(Manifold.of(real), Manifold.of(fresh + 1000))
    assert away == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}
    collapsed = real[:1] + 1e-3 * torch.randn(1000, 8, generator=torch.Generator().manual_seed(0))
    narrow = manifold_figures(Manifold.of(real), Manifold.of(collapsed))
    assert narrow["precision"] == 1
    assert narrow["recall"] < 0.01
    assert narrow["coverage"] < 0.05


def test_variety_is_the_mean_distance_within_a_class():
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0], [7.0, 7.0], [7.0, 7.0], [7.0, 7.0]])
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    assert variety(points, labels, 2) == pytest.approx([10 / 3, 0])


def test_nearest_finds_copies_and_their_distance():
    references = torch.randint(0, 256, (700, 1, 6, 6), generator=torch.Generator().manual_seed(0)).byte()
    queries = references[[600, 3]].clone()
    queries[1, 0, 0, 0] ^= 0b10000000  # one of 36 pixels changes by 128 of 255
    distance, index = nearest(queries, references)
    assert index.tolist() == [600, 3]
    assert distance.tolist() == pytest.approx([0, 128 / 255 / 6])


def test_memorisation_tells_copies_from_fresh_pictures():
    fresh = torch.linspace(0.1, 0.3, 1001)
    assert memorisation(fresh, fresh) == pytest.approx(
        {"distance": 0.2, "ratio": 1, "copies": 0.01}, abs=1e-3
    )
    assert memorisation(torch.zeros(5), fresh) == {"distance": 0, "ratio": 0, "copies": 1}


TEN = Subjects(labels=tuple("abcdefghij"))


def judged(answers: torch.Tensor) -> Judgement:
    return Judgement(torch.zeros(len(answers), 2), torch.eye(10)[answers])


def test_obedience_of_labels():
    answers = torch.arange(5000) % 10
    images = torch.zeros(5000, 1, 4, 4, dtype=torch.uint8)
    measure = MEASURES["label"]()
    right = measure(images, {"label": answers.numpy()}, judged(answers), TEN)
    assert right["accuracy"] == 1
    assert right["confusion"] == torch.eye(10).tolist()
    shuffled = answers[torch.randperm(5000, generator=torch.Generator().manual_seed(0))]
    assert measure(images, {"label": shuffled}, judged(answers), TEN)["accuracy"] == pytest.approx(
        0.1, abs=0.02
    )


def test_confusion_has_a_row_for_what_was_asked():
    asked, answers = torch.tensor([2, 2, 2, 7]), torch.tensor([2, 3, 3, 7])
    result = MEASURES["label"]()(torch.zeros(4, 1, 4, 4).byte(), {"label": asked}, judged(answers), TEN)
    assert result["confusion"][2][2:4] == pytest.approx([1 / 3, 2 / 3])
    assert result["per_class"][7] == 1
    assert result["per_class"][0] == 0
    assert result["accuracy"] == 0.5


def test_augmentation_keeps_a_picture_that_nothing_may_change():
    images = torch.randint(0, 256, (4, 3, 8, 8), generator=torch.Generator().manual_seed(0)).byte()
    still = Recipe(degrees=0, shift=0, scale=0)
    assert torch.allclose(augment(images, still, torch.Generator()), images.float(), atol=1e-2)


def test_augmentation_flips_half_and_erases_a_square():
    images = torch.full((200, 1, 8, 8), 200).byte()
    images[..., :4] = 100
    recipe = Recipe(degrees=0, shift=0, scale=0, flip=True, erase=0.25)
    changed = augment(images, recipe, torch.Generator().manual_seed(0))
    assert 60 < (changed[:, 0].sum((1, 2)) > 0).logical_and(changed[:, 0, :, 0].amax(1) > 150).sum() < 140
    erased = (changed[:, 0] < 1).sum((1, 2))
    assert 1 <= erased.min() <= erased.max() == 4


def test_results_of_several_seeds_become_one():
    assert summary([1.0, 2.0, 3.0]) == {"mean": 2, "std": 1, "values": [1, 2, 3]}
    assert summary([1.0])["std"] is None
    merged = across([{"a": {"b": 1.0}, "c": [[0.0, 1.0]]}, {"a": {"b": 3.0}, "c": [[1.0, 1.0]]}])
    assert merged["a"]["b"]["mean"] == 2
    assert merged["c"] == [[0.5, 1.0]]


def test_subset_keeps_pictures_and_targets_together():
    images = torch.arange(50).view(50, 1, 1, 1).byte()
    some, targets = subset((images, {"label": torch.arange(50), "classes": ("a",)}), 20)
    assert np.array_equal(some.flatten(), targets["label"])
    assert len(some) == 20
    assert set(targets) == {"label"}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Gaussian.of(features(8, 1)), "needs over 8 pictures, got 8"),
        (lambda: Manifold.of(features(5, 1)), "need over 5 pictures, got 5"),
        (lambda: kernel_distance(features(1, 1), features(9, 1)), "at least 2 pictures a side, got 1 and 9"),
        (lambda: variety(features(3, 1), torch.tensor([0, 0, 1]), 2), "class 1 has 1"),
        (lambda: inception_v3_fid(torch.zeros(1, 1, 4, 4), torch.zeros(5, 1, 4, 4)), "got 1 and 5"),
        (lambda: MEASURES["smell"], "unknown measure of obedience 'smell'"),
        (
            lambda: MEASURES["label"]()(
                torch.zeros(2), {"label": [0, 10]}, judged(torch.tensor([0, 1])), TEN
            ),
            "labels must be 2 whole numbers from 0 to 9",
        ),
    ],
)
def test_bad_input_gets_one_clear_line(call, says):
    with pytest.raises(ValueError, match=says) as error:
        call()
    assert "\n" not in str(error.value)


def test_standard_fid_says_what_it_lacks(monkeypatch):
    def unreachable(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr("torchmetrics.image.fid.FrechetInceptionDistance.__init__", unreachable)
    with pytest.raises(ValueError, match="Inception-v3 .*downloaded: no route to host"):
        inception_v3_fid(torch.zeros(5, 1, 4, 4).byte(), torch.zeros(5, 1, 4, 4).byte())
