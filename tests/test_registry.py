"""Names, unknown names, and that the registries hold what they say."""

from __future__ import annotations

import dataclasses

import pytest

from cgan.config import REGISTRIES
from cgan.registry import Registry

ENTRIES = [(registry, name) for registry in REGISTRIES.values() for name in registry]


def test_unknown_name_fails_with_the_closest_matches_and_all_names():
    registry = Registry("loss", bce=int, hinge=float)
    with pytest.raises(
        ValueError, match=r"unknown loss 'hing'\. Did you mean 'hinge'\? Accepted: bce, hinge\."
    ):
        registry["hing"]
    assert registry.get("hing") is None
    assert registry.get("hinge") is float


def test_underscores_become_dashes():
    assert list(Registry("dataset", fashion_mnist=int)) == ["fashion-mnist"]


@pytest.mark.parametrize(("registry", "name"), ENTRIES, ids=lambda entry: getattr(entry, "kind", entry))
def test_entries_are_frozen_keyword_only_dataclasses_with_defaults(registry, name):
    entry = registry[name]
    assert entry.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(entry))
    assert registry.name_of(entry()) == name
    assert entry.__doc__
    assert not entry.__doc__.startswith(f"{entry.__name__}("), "a docstring of its own"
