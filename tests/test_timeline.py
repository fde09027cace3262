"""Snapshots survive their compression, and a damaged timeline is refused in one line."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file

from cgan import model as model_module
from cgan import timeline
from cgan.model import TIMELINE, ModelError
from cgan.networks import NORMS
from cgan.timeline import Timeline
from tests.conftest import tiny_model


def brightened(factor: float):
    """The tiny model with its stem scaled, so that snapshots differ."""
    model = tiny_model()
    model.generator.stem.weight.mul_(factor)
    return model


@pytest.fixture
def folder(tmp_path):
    snapshots = [(float(k), timeline.compress(brightened(1 + k).sampler_state())) for k in range(3)]
    timeline.write(tmp_path, snapshots)
    return tmp_path


def test_compression_errs_by_half_a_step_of_each_rows_scale():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(64, 3, 3, 3, generator=generator) * torch.logspace(-1, 2, 64)[:, None, None, None]
    rows[0] = 0
    packed = timeline.compress({"conv.weight": rows})
    assert {tensor.dtype for tensor in packed.values()} == {torch.int8, torch.float16}
    assert sum(t.numel() * t.element_size() for t in packed.values()) < rows.numel() * 2 * 0.6
    error = (timeline.expand(packed)["conv.weight"] - rows).abs().amax((1, 2, 3))
    peak = rows.abs().amax((1, 2, 3))
    assert (error <= peak / 127 * 0.5 * 1.07).all()  # and half precision's share of the scale
    assert (error[1:] > peak[1:] / 127 * 0.2).any()


def test_vectors_and_buffers_keep_their_values_and_names():
    state = {
        "norm.scale": torch.tensor([0.5, -2.0]),
        "norm.num_batches_tracked": torch.tensor(2**40),
        "gain": torch.tensor(0.25),
    }
    back = timeline.expand(timeline.compress({**state, "norm.weight": torch.ones(2, 2)}))
    assert set(back) == {*state, "norm.weight"}
    for name, tensor in state.items():
        assert torch.equal(back[name], tensor), name
        assert back[name].dtype == tensor.dtype


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_a_snapshot_makes_the_pictures_of_its_time(tmp_path, norm):
    early = tiny_model(generator__norm=NORMS[norm]())
    timeline.write(tmp_path, [(0.0, timeline.compress(early.sampler_state()))])
    late = tiny_model(generator__norm=NORMS[norm]())
    for tensor in late.parameters():
        tensor.mul_(1.5)
    critic = {name: tensor.clone() for name, tensor in late.critic_state().items()}
    noise, raw = early.noise(1, 16), early.encoder.sample(16, seed=1)
    before = (late(noise, raw) - early(noise, raw)).abs().max()
    Timeline(tmp_path).load_into(late, 0)
    after = (late(noise, raw) - early(noise, raw)).abs().max()
    assert after < 0.05
    assert before > 4 * after
    assert all(torch.equal(tensor, critic[name]) for name, tensor in late.critic_state().items())


def test_every_snapshot_is_the_one_asked_for(folder):
    line, model = Timeline(folder), tiny_model()
    assert line.kimg == [0, 1, 2]
    assert len(line) == 3
    for k in (2, 0, 1):
        line.load_into(model, k)
        expected = brightened(1 + k).generator.stem.weight
        assert torch.allclose(model.generator.stem.weight, expected, atol=expected.abs().max().item() / 250)
    for k in (-1, 3):
        with pytest.raises(IndexError, match=f"from 0 to 2, got {k}"):
            line.load_into(model, k)


def test_marks_are_denser_at_the_beginning_and_span_the_training():
    marks = timeline.marks(100, 14)
    assert (marks[0], marks[-1], len(marks)) == (0, 100, 14)
    steps = [b - a for a, b in zip(marks, marks[1:], strict=False)]
    assert steps == sorted(steps)
    assert steps[0] < 1
    assert timeline.marks(5, 1) == [5]


def kimg(text: str):
    return lambda path: save_file(load_file(path), path, {"kimg": text})


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b"\x80\x04."),
        lambda path: save_file(load_file(path), path),
        kimg("[0, 1"),
        kimg("[0, NaN]"),
        kimg('["soon"]'),
        kimg("3"),
    ],
    ids=["missing", "truncated", "pickled", "no metadata", "no JSON", "NaN", "words", "no list"],
)
def test_a_damaged_file_is_refused_at_once(folder, damage):
    damage(folder / TIMELINE)
    with pytest.raises(ModelError) as caught:
        Timeline(folder)
    assert "\n" not in str(caught.value)
    assert TIMELINE in str(caught.value)


@pytest.mark.parametrize("kimg", ["[1" + "0" * 400 + "]", "[" * 100_000, "[1e999]", "{", "5"])
def test_times_that_are_no_numbers_are_refused(folder, kimg):
    save_file(load_file(folder / TIMELINE), folder / TIMELINE, {"kimg": kimg})
    with pytest.raises(ModelError, match="not a timeline") as caught:
        Timeline(folder)
    assert "\n" not in str(caught.value)


def test_an_oversized_file_is_refused_unread(folder, monkeypatch):
    monkeypatch.setattr(model_module, "TENSOR_LIMIT", 100)
    with pytest.raises(ModelError, match="more than the 100 allowed"):
        Timeline(folder)


STEM = "0/generator.stem.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop(f"{STEM}.scale"), "stem.weight.scale is missing"),
        (lambda t: t.update({f"{STEM}.scale": torch.ones(1, 10**6).half()}), r"is \(1, 1000000\)"),
        (lambda t: t.pop(f"{STEM}.int8"), "stem.weight.int8 is missing"),
        (lambda t: t.update({f"{STEM}.int8": t[f"{STEM}.int8"][:, :2].clone()}), r"is \(8, 2, 4, 4\)"),
        (lambda t: t.update({"0/more": torch.ones(1)}), "'more' belongs to no part"),
        (lambda t: t[f"{STEM}.scale"].fill_(torch.inf), "is not finite"),
        (lambda t: [t.pop(name) for name in list(t) if name.startswith("0/")], "is missing"),
    ],
    ids=["no scale", "wide scale", "no matrix", "misshaped", "extra", "infinite", "no snapshot"],
)
def test_a_snapshot_that_does_not_fit_leaves_the_model_as_it_was(folder, change, message):
    tensors = load_file(folder / TIMELINE)
    change(tensors)
    save_file(tensors, folder / TIMELINE, {"kimg": "[0, 1, 2]"})
    model = brightened(9)
    with pytest.raises(ModelError, match=message) as caught:
        Timeline(folder).load_into(model, 0)
    assert "\n" not in str(caught.value)
    assert torch.equal(model.generator.stem.weight, brightened(9).generator.stem.weight)
    Timeline(folder).load_into(model, 2)


@pytest.mark.parametrize("name", [f"{STEM}.int8", f"{STEM}.scale", "0/generator.stem.bias", "0/more"])
def test_a_snapshot_of_another_shape_is_not_unpacked(folder, monkeypatch, name):
    """Unpacked it would take four times the memory of a file that may have a gigabyte."""
    monkeypatch.setattr(timeline, "expand", lambda packed: pytest.fail("it was unpacked"))
    tensors = load_file(folder / TIMELINE)
    kind = tensors.get(name, torch.zeros(1)).dtype
    save_file(
        {**tensors, name: torch.zeros(1000, 1000, dtype=kind)}, folder / TIMELINE, {"kimg": "[0, 1, 2]"}
    )
    with pytest.raises(ModelError, match=r"is \(1000, 1000\)|'more' belongs to no part"):
        Timeline(folder).load_into(tiny_model(), 0)


@pytest.mark.parametrize("norm", NORMS)
def test_the_shapes_of_a_snapshot_are_known_before_it_is_packed(norm):
    state = tiny_model(generator__norm=NORMS[norm]()).sampler_state()
    packed = timeline.compress(state)
    assert timeline.packed_shapes(state) == {name: tuple(tensor.shape) for name, tensor in packed.items()}
