"""What lies beside a model's data set is read once."""

from __future__ import annotations

import pytest

from cgan.ui.loaded import loaded
from tests.conftest import tiny_model


@pytest.mark.parametrize("answer", ["found", FileNotFoundError("none"), ValueError("damaged")])
def test_what_is_kept_of_a_data_set_is_read_once_and_may_be_nothing(answer):
    asked = []

    def load(dataset: str) -> str:
        asked.append(dataset)
        if isinstance(answer, Exception):
            raise answer
        return answer

    for _ in range(2):
        assert loaded(load, tiny_model()) == (None if isinstance(answer, Exception) else "found")
    assert asked == ["mnist"]
