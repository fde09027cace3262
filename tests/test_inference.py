"""The generator made ready to serve: the same pictures, and none that depends on its batch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cgan import inference
from cgan.inference import Convolution, Sampler, Transposed, resolve_device
from cgan.model import ConditionalGAN
from cgan.networks import NORMS
from cgan.networks.attention import SelfAttention
from cgan.networks.layers import TransposedConv2d
from cgan.types import Cond
from tests.conftest import tiny_model

CPU = torch.device("cpu")
VARIANTS = [
    *({"generator__norm": NORMS[name]()} for name in NORMS),
    {"generator__block": "upsample"},
    {"generator__block": "transposed", "generator__norm": NORMS["batch"]()},
    {"generator__block": "transposed", "generator__norm": NORMS["spectral"]()},
    {"generator__block": "transposed", "generator__attention": (4,)},
    {"generator__noise_in_blocks": False},
    {"generator__mapping": 6},
    {"generator__attention": (8,)},
    {"generator__output": "sigmoid", "generator__noise": "uniform"},
    {"generator__to_image": "transposed", "generator__widths": (4,)},
]


def lived_in(**options) -> ConditionalGAN:
    """A tiny model whose norms and attention have learned something, so that none is the identity."""
    model = tiny_model(**options)
    generator = torch.Generator().manual_seed(1)
    if model.generator.mapping:  # which starts as the identity
        model.generator.mapping.leave.weight.normal_(generator=generator)
    for module in model.generator.modules():
        if isinstance(module, SelfAttention):
            module.gain.fill_(1)
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.2, 4, generator=generator)
            if module.affine:
                module.weight.normal_(generator=generator)
                module.bias.normal_(generator=generator)
    return model


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_pictures_are_those_of_the_plain_model(options):
    model = lived_in(**options)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    sampler = Sampler(model, CPU, "float32")
    noise, raw = model.noise(3, 40), model.encoder.sample(40, 3)
    with torch.inference_mode():
        torch.testing.assert_close(
            sampler.model.generator(noise, Cond(raw)), model(noise, raw), atol=1e-4, rtol=0
        )
    pictures = sampler(noise, Cond(raw))
    assert pictures.shape == (40, 1, 8, 8)
    assert pictures.dtype == torch.uint8
    assert (pictures.int() - model.sample(noise, raw).int()).abs().max() <= 1
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), f"{name} of the model that was given has changed"


@pytest.mark.parametrize("precision", ["float32", "auto"])
@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_a_picture_does_not_depend_on_its_batch(options, precision):
    model = lived_in(**options)
    sampler = Sampler(model, CPU, precision)
    noise, raw = model.noise(3, 40), model.encoder.sample(40, 3)
    whole = sampler(noise, Cond(raw))
    for size in (1, 2, 3, 7):
        parts = [sampler(n, Cond(r)) for n, r in zip(noise.split(size), raw.split(size), strict=True)]
        assert torch.equal(torch.cat(parts), whole)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    assert torch.equal(sampler(noise[order], Cond(raw[order])), whole[order])


@pytest.mark.parametrize("options", VARIANTS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_every_convolution_but_the_last_multiplies_in_the_format_asked_for(options, dtype):
    generator = lived_in(**options).generator
    inference.prepare(generator, dtype)
    convolutions = [
        m for m in generator.modules() if isinstance(m, Convolution | Transposed | TransposedConv2d)
    ]
    *inner, last = (module.weight.dtype for module in convolutions)
    assert set(inner) == ({dtype} if len(generator.blocks) else set())
    assert last == torch.float32


@pytest.mark.parametrize("there", [True, False])
def test_a_convolution_is_the_same_without_onednn(there, monkeypatch):
    """Apple's processors and GPUs have none."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: there)
    layer, x = nn.Conv2d(3, 5, 4, stride=2, padding=1), torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(Convolution(layer, torch.float32)(x), layer(x))


def test_batch_norms_are_folded_away():
    sampler = Sampler(lived_in(), CPU)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in sampler.model.generator.modules())


def test_a_recording_makes_the_plain_pictures(model, monkeypatch):
    """One call in place of many; where PyTorch can't record, or the recording holds for one picture only, it
    goes without."""
    noise, cond = model.noise(3, 20), Cond(model.encoder.sample(20, 3))
    record = torch.jit.trace
    for how in (
        record,
        None,
        lambda flat, given, **_: record(flat, given, check_trace=False).graph,
        _for_one,
    ):
        monkeypatch.setattr(torch.jit, "trace", how)
        sampler = Sampler(model, CPU)
        assert torch.equal(sampler(noise, cond), sampler._draw(noise, cond))
        assert (sampler.graphs[sampler.batch].replay == sampler._draw) == (how is not record)


def _for_one(flat, given, **_):
    """A recording with its number of pictures fixed."""
    return lambda noise, *parts: flat(noise[:1], *(part[:1] for part in parts)).expand(len(noise), -1, -1, -1)


def test_where_batches_would_differ_pictures_are_made_one_by_one(monkeypatch, model):
    def unsteady(generator, dtype):
        """Pictures alone and in company differ by a bit."""
        plain = generator.forward
        generator.forward = lambda noise, cond: plain(noise, cond) * (1 + 1e-6 * (len(noise) > 1))

    monkeypatch.setattr(inference, "prepare", unsteady)
    sampler = Sampler(model, CPU)
    assert sampler.batch == 1
    noise, raw = model.noise(0, 5), model.encoder.sample(5, 0)
    alone = torch.cat([sampler(noise[k : k + 1], Cond(raw[k : k + 1])) for k in range(5)])
    assert torch.equal(sampler(noise, Cond(raw)), alone)


def test_batches_are_filled_up_to_a_recorded_size(model):
    """The smallest recording that holds the batch is replayed; what is beyond the largest goes in turns."""
    calls = []

    def recording(size):
        return lambda noise, cond: calls.append((size, len(noise))) or model.sample(noise, cond.vector)

    sampler = Sampler(model, CPU)
    sampler.batch, sampler.graphs = 8, {1: recording(1), 4: recording(4), 8: recording(8)}
    noise, raw = model.noise(0, 19), model.encoder.sample(19, 0)
    assert sampler(noise, Cond(raw)).shape[0] == 19
    assert calls == [(8, 8), (8, 8), (4, 3)]
    sampler(noise[:1], Cond(raw[:1]))
    assert calls[-1] == (1, 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_graphs_replay_what_they_recorded(options):
    model = lived_in(**options)
    sampler = Sampler(model, torch.device("cuda"), "float32")
    noise, raw = model.noise(3, 80), model.encoder.sample(80, 3)
    whole = sampler(noise, Cond(raw))
    assert (whole.int() - model.sample(noise, raw).int()).abs().max() <= 1
    assert torch.equal(
        torch.cat([sampler(n, Cond(r)) for n, r in zip(noise.split(1), raw.split(1), strict=True)]), whole
    )


def test_devices():
    assert resolve_device("cpu") == CPU
    with pytest.raises(ValueError, match="device must be one of auto, cpu, cuda, got 'tpu'"):
        resolve_device("tpu")
    if not torch.cuda.is_available():
        assert resolve_device("auto") == CPU
        with pytest.raises(ValueError, match="finds no CUDA device"):
            resolve_device("cuda")


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_every_reader_may_have_a_noise_of_its_own(options):
    """The same for all is as one; another for one reader shows; and company in the batch changes no bit."""
    model = lived_in(**options)
    readers = len(model.generator.readers)
    noise, cond = model.noise(3, 5), Cond(torch.eye(3)[[0, 1, 2, 0, 1]])
    sampler = Sampler(model, CPU)
    same = noise[:, None].repeat(1, readers, 1)
    assert torch.equal(sampler(same, cond), sampler(noise, cond))
    for reader in range(readers):
        mixed = same.clone()
        mixed[:, reader] = 3 * model.noise(4, 5)
        found = model.generator(mixed, cond)
        assert not torch.allclose(found, model.generator(noise, cond), atol=1e-4), f"reader {reader} is deaf"
        alone = torch.cat([sampler(mixed[k : k + 1], cond[k : k + 1]) for k in range(5)])
        assert torch.equal(alone, sampler(mixed, cond))


def test_noise_of_each_layer_waits_for_its_kind_where_graphs_are_recorded(model, monkeypatch):
    """What was not recorded is computed in batches of the one full size."""
    sampler = Sampler(model, CPU)
    sampler.graphs = {4: lambda noise, cond: pytest.fail("noise of another shape was given to a graph")}
    sampler.filled, sampler.batch, sizes, draw = True, 4, [], sampler._draw

    def watched(noise, cond):
        sizes.append(len(noise))
        return draw(noise, cond)

    monkeypatch.setattr(sampler, "_draw", watched)
    noise = model.noise(3, 6)[:, None].repeat(1, len(model.generator.readers), 1)
    found = sampler(noise, Cond(torch.eye(3).repeat(2, 1)))
    assert sizes == [4, 4]
    sampler.filled = False
    assert torch.equal(found, sampler(noise, Cond(torch.eye(3).repeat(2, 1))))
