"""Generator and discriminator: shapes, ranges, the condition's ways in, completeness, and what each option
changes."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from cgan.networks import NORMS, DiscriminatorOptions, GeneratorOptions, discriminator, generator
from cgan.networks.attention import SelfAttention
from cgan.networks.generator import MappingNetwork
from cgan.networks.layers import MinibatchStd, Modulation, StridedConv2d, TransposedConv2d, UpConv2d
from cgan.networks.norms import NoNorm
from cgan.networks.spatial import SpatialEncoder, resized
from cgan.types import Cond

N, Z, K = 6, 5, 3
SIZES = {28: (4, 4, 4), 32: (4, 4, 4, 4), 64: (4, 4, 4, 4, 4), 128: (4, 4, 4, 4, 4, 4)}


def cond(spatial: int = 0, size: int = 28) -> Cond:
    vector = torch.eye(K)[torch.arange(N) % K]
    return Cond(vector, torch.rand(N, spatial, size, size) if spatial else None)


def make_generator(size=28, channels=1, spatial=0, **options):
    torch.manual_seed(0)
    options = {"widths": SIZES[size], "noise_dim": Z} | options
    if options.get("block") == "transposed":
        options["widths"] = options["widths"][:-1]
    return GeneratorOptions(**options).build(K, spatial, size, channels)


def make_discriminator(size=28, channels=1, spatial=0, auxiliary=0, **options):
    torch.manual_seed(0)
    options = {"widths": (4, 8), "hidden": 8} | options
    return DiscriminatorOptions(**options).build(K, spatial, size, channels, auxiliary)


@pytest.mark.parametrize(("size", "channels"), list(itertools.product(SIZES, (1, 3))))
@pytest.mark.parametrize("block", generator.BLOCKS)
def test_every_size_and_channel_count(size, channels, block):
    images = make_generator(size, channels, block=block)(torch.randn(N, Z), cond())
    assert images.shape == (N, channels, size, size)
    assert make_discriminator(size, channels)(images, cond()).logits.shape == (N,)


@pytest.mark.parametrize(("output", "low", "high"), [("tanh", -1, 1), ("sigmoid", 0, 1)])
def test_output_range(output, low, high):
    made = make_generator(output=output)
    for parameter in made.parameters():
        parameter.data.mul_(20)
    images = made(torch.randn(N, Z), cond()).detach()
    assert made.options.image_range == (low, high)
    assert images.min() == pytest.approx(low, abs=0.05)
    assert images.max() == pytest.approx(high, abs=0.05)


@pytest.mark.parametrize("block", generator.BLOCKS)
@pytest.mark.parametrize("norm", NORMS)
def test_generator_is_complete(block, norm):
    """Every parameter takes part: each gets a gradient from the pictures."""
    made = make_generator(block=block, norm=NORMS[norm](), spatial=2, attention=(14,))
    made.attention["14"].gain.data.fill_(0.5)
    made(torch.randn(N, Z), cond(spatial=2)).square().sum().backward()
    assert [name for name, p in made.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("block", discriminator.BLOCKS)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("head", ["concat", "projection"])
def test_discriminator_is_complete(block, norm, head):
    made = make_discriminator(
        block=block,
        norm=NORMS[norm](),
        head=head,
        spatial=2,
        attention=(14,),
        auxiliary=K,
        minibatch_std=True,
    )
    made.attention["14"].gain.data.fill_(0.5)
    critique = made(torch.randn(N, 1, 28, 28), cond(spatial=2))
    (critique.logits.square().sum() + critique.auxiliary.square().sum()).backward()
    assert [name for name, p in made.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("block", generator.BLOCKS)
def test_the_condition_enters_again_at_every_block(block):
    """With the stem deaf to the label, the label still changes the picture through every single block."""
    made = make_generator(block=block, noise_in_blocks=False, norm=NoNorm())
    made.stem.weight.data[Z:] = 0
    noise = torch.randn(1, Z).expand(2, Z)
    labels = Cond(torch.eye(K)[:2])
    x = made.stem(torch.cat([noise, labels.vector], 1))
    assert torch.equal(x[0], x[1])
    for layer in [*made.blocks, *([] if block == "transposed" else [made.to_image])]:
        y = layer(x, labels.vector, None)
        assert not torch.allclose(y[0], y[1])
        x = y.mean(0, keepdim=True).expand_as(y).contiguous()


@pytest.mark.parametrize("head", ["concat", "projection"])
def test_the_discriminator_compares_picture_and_label(head):
    """The verdict's difference between two labels depends on the picture, which a mere bias per label would
    not."""
    made = make_discriminator(head=head)
    images = torch.randn(N, 1, 28, 28)
    verdicts = [made(images, Cond(torch.eye(K)[k].expand(N, K))).logits for k in (0, 1)]
    assert (verdicts[0] - verdicts[1]).std() > 1e-3


def test_article_generator_to_the_letter():
    from cgan.presets import preset

    options = preset("mnist-article").generator
    made = options.build(10, 0, 28, 1)
    convolutions = [m for m in made.modules() if isinstance(m, torch.nn.ConvTranspose2d)]
    assert len(convolutions) == 3
    assert not any(isinstance(m, torch.nn.Conv2d) for m in made.modules())
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in made.modules()) == 2
    assert [c.in_channels for c in convolutions] == [110, options.widths[0] + 10, options.widths[1] + 10]
    assert options.output == "tanh"


def test_stem_equals_the_transposed_convolution_that_it_is():
    stem = generator.Stem(4, 3, 7)
    style = torch.randn(2, 4)
    expected = torch.nn.functional.conv_transpose2d(style[:, :, None, None], stem.weight, stem.bias)
    assert torch.allclose(stem(style), expected, atol=1e-6)


def test_spectral_norm_is_one():
    made = make_discriminator(norm=NORMS["spectral"](), widths=(8, 16))
    for _ in range(100):  # each pass in training mode is one power iteration
        made(torch.randn(N, 1, 28, 28), cond())
    for layer in made.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
            assert largest.item() == pytest.approx(1, abs=1e-3)


def test_layer_norm_normalises_each_picture():
    x = torch.randn(N, 4, 5, 5) * 7 + 3
    y = NORMS["layer"]().layer(4)(x)
    assert torch.allclose(y.mean((1, 2, 3)), torch.zeros(N), atol=1e-5)
    assert torch.allclose(y.var((1, 2, 3), unbiased=False), torch.ones(N), atol=1e-3)


@pytest.mark.parametrize("norm", NORMS)
def test_batch_statistics_says_whether_a_picture_depends_on_its_batch(norm):
    options = NORMS[norm]()
    layer, x = options.layer(4), torch.randn(options.reference + N, 4, 5, 5)
    kept = options.reference + 2
    alone, together = layer(x[:kept]), layer(torch.cat([x[:kept], 9 * x[kept:]]))[:kept]
    assert options.batch_statistics == (not torch.allclose(alone, together, atol=1e-5))


def test_virtual_batch_norm_by_hand():
    """The statistics are those of the reference batch with the picture itself as one more of its pictures."""
    layer = NORMS["virtual"](reference=3).layer(2, affine=False)
    x = torch.randn(3 + N, 2, 4, 4) * 2 + 1
    for row in (3, 4):
        both = torch.cat([x[:3], x[row : row + 1]])
        mean, variance = both.mean((0, 2, 3)), both.var((0, 2, 3), unbiased=False)
        expected = (x[row] - mean[:, None, None]) / (variance + 1e-5).sqrt()[:, None, None]
        assert torch.allclose(layer(x)[row], expected, atol=1e-4)


def test_the_reference_batch_is_fixed_and_saved_with_the_networks():
    norm = NORMS["virtual"](reference=2)
    player, critic = make_generator(norm=norm), make_discriminator(norm=norm)
    noise, images = torch.randn(N, Z), torch.randn(N, 1, 28, 28)
    for network, inputs in ((player, noise), (critic, images)):
        unset = network(inputs, cond())
        network.reference.fix(inputs, cond())
        fixed = network(inputs, cond())
        assert {"reference.inputs", "reference.vector"} <= set(network.state_dict())
        alone = network(inputs[:1], cond()[:1])
        unset, fixed, alone = (getattr(out, "logits", out) for out in (unset, fixed, alone))
        assert len(fixed) == N
        assert not torch.allclose(unset, fixed)
        assert torch.allclose(alone, fixed[:1], atol=1e-4)
    with pytest.raises(ValueError, match=r"norm\.reference is 2"):
        player.reference.fix(noise[:1], cond()[:1])


@pytest.mark.parametrize("multi_scale", [False, True])
def test_a_committee_is_its_members_each_at_its_own_scale(multi_scale):
    committee = make_discriminator(count=2, multi_scale=multi_scale)
    images = torch.randn(N, 1, 28, 28)
    logits = committee(images, cond()).logits
    assert logits.shape == (N, 2)
    second = torch.nn.functional.avg_pool2d(images, 2) if multi_scale else images
    assert torch.equal(logits[:, 0], committee.members[0](images, cond()).logits)
    assert torch.equal(logits[:, 1], committee.members[1](second, cond()).logits)
    assert not torch.allclose(logits[:, 0], logits[:, 1])


def test_members_of_a_committee_attend_at_the_resolutions_they_see():
    committee = make_discriminator(count=2, multi_scale=True, widths=(4, 4, 4), attention=(14, 7))
    assert [set(member.attention) for member in committee.members] == [{"14", "7"}, {"7"}]
    with pytest.raises(ValueError, match="do not fit 28x28"):
        make_discriminator(count=2, multi_scale=True, attention=(28,))


@pytest.mark.parametrize(
    ("combine", "expected"),
    [
        ("mean", [2.0, 0.0]),
        ("hardest", [3.0, 0.0]),
        ("softmax", [(1 + 3 * math.e**2) / (1 + math.e**2), 0.0]),
    ],
)
def test_how_verdicts_are_combined(combine, expected):
    committee = make_discriminator(count=2, combine=combine)
    losses = torch.tensor([[1.0, 3.0], [0.0, 0.0]])
    assert committee.combine(losses).tolist() == pytest.approx(expected)


def test_members_of_a_committee_learn_apart():
    committee = make_discriminator(count=2)
    committee(torch.randn(N, 1, 28, 28), cond()).logits[:, 0].sum().backward()
    assert all(p.grad is not None for p in committee.members[0].parameters())
    assert not any(p.grad is not None and p.grad.any() for p in committee.members[1].parameters())


def test_attention_by_hand():
    attention = SelfAttention(8, NoNorm())
    attention.gain.data.fill_(1.0)
    x = torch.randn(2, 8, 4, 4)
    pool = torch.nn.functional.max_pool2d
    query, key, value = (
        attention.query(x).flatten(2),
        pool(attention.key(x), 2).flatten(2),
        pool(attention.value(x), 2),
    )
    beta = torch.softmax(query.mT @ key, dim=-1)  # SAGAN, equation 1, a row a query
    mixed = (beta @ value.flatten(2).mT).mT.unflatten(2, (4, 4))
    assert torch.allclose(attention(x), x + attention.out(mixed), atol=1e-5)


@pytest.mark.parametrize("block", generator.BLOCKS)
@pytest.mark.parametrize("to_image", ["convolution", "transposed"])
def test_encoded_conditions_enter_at_their_own_resolution(block, to_image):
    widths = (4, 4, 4) if "transposed" in (block, to_image) else (4, 4, 4, 4)
    torch.manual_seed(0)
    options = GeneratorOptions(
        widths=widths, noise_dim=Z, block=block, to_image=to_image, spatial="encoded", spatial_hidden=3
    )
    made = options.build(K, 2, 32, 1)
    maps = made.spatial(torch.rand(N, 2, 32, 32))
    assert {size: tuple(map_.shape) for size, map_ in maps.items()} == {
        size: (N, 3, size, size) for size in made.resolutions
    }
    made(torch.randn(N, Z), cond(spatial=2, size=32)).square().sum().backward()
    assert [name for name, p in made.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_an_encoded_map_is_not_averaged_down():
    """A dot of one pixel changes every map, the finest only beside it."""
    encoder = SpatialEncoder(1, 3, 32, [8, 16, 32], NoNorm())
    plain = torch.zeros(1, 1, 32, 32)
    dotted = plain.clone()
    dotted[..., 20, 9] = 1
    plain, dotted = encoder(plain), encoder(dotted)
    changes = {size: (plain[size] - dotted[size]).abs().sum(1)[0] for size in plain}
    assert all(change.any() for change in changes.values())
    rows, columns = changes[32].nonzero().unbind(1)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (19, 21, 8, 10)


@pytest.mark.parametrize("way", ["resized", "encoded"])
def test_a_spatial_condition_of_another_size_is_resized(way):
    made = GeneratorOptions(widths=SIZES[32], noise_dim=Z, spatial=way).build(K, 2, 32, 1)
    assert made(torch.randn(N, Z), cond(spatial=2, size=64)).shape == (N, 1, 32, 32)


def test_modulation_by_hand():
    layer = Modulation(2, 3, 0, NoNorm(), 0)
    x, style = torch.randn(1, 2, 4, 4), torch.randn(1, 3)
    scale, shift = layer.style(style)[0].chunk(2)
    expected = x * (1 + scale)[None, :, None, None] + shift[None, :, None, None]
    assert torch.allclose(layer(x, style, None), expected, atol=1e-6)


def test_minibatch_std_sees_a_collapsed_batch():
    layer = MinibatchStd(group=2)
    x = torch.randn(4, 3, 2, 2)
    x[1] = x[0]
    out = layer(x)
    assert out.shape == (4, 4, 2, 2)
    assert out[:2, 3].max() < 1e-3
    expected = x[2:].std(0, unbiased=False).mean()
    assert torch.allclose(out[2:, 3], expected.expand(2, 2, 2), atol=1e-3)


GOLDEN_IMAGE = [0.31768, -0.57053, -0.81448, -0.93644]
GOLDEN_LOGITS = [-0.07033, -0.21126, -0.14423]


def test_golden_slice():
    """A tiny seeded network's numbers, so that no change of the arithmetic goes unnoticed."""
    images = make_generator()(torch.linspace(-1, 1, N * Z).view(N, Z), cond())
    verdict = make_discriminator(head="projection")(images, cond()).logits
    assert images[0, 0, 10, 8:12].tolist() == pytest.approx(GOLDEN_IMAGE, abs=1e-4)
    assert verdict[:3].tolist() == pytest.approx(GOLDEN_LOGITS, abs=1e-4)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (make_generator, {"widths": (4, 4, 4, 4)}, "do not fit 28x28"),
        (make_generator, {"attention": (13,)}, "generator.attention must be among"),
        (make_generator, {"noise_dim": 0}, "noise_dim"),
        (make_discriminator, {"hidden": 0, "head": "concat"}, "discriminator.hidden"),
        (make_discriminator, {"widths": (2,) * 6}, "do not fit 28x28"),
        (make_discriminator, {"widths": (2,) * 4, "attention": (1,)}, "attention at 14, 7, 3"),
        (make_discriminator, {"dropout": 1.0}, "dropout"),
        (make_discriminator, {"count": 0}, "discriminator.count"),
        (make_discriminator, {"count": 10**9}, "discriminator.count"),
        (make_discriminator, {"multi_scale": True}, "discriminator.multi_scale"),
        (make_discriminator, {"count": 3, "multi_scale": True}, "3 scales, more than the 2 levels"),
        (
            make_discriminator,
            {"count": 2, "multi_scale": True, "norm": NORMS["virtual"]()},
            "multi_scale does not go with discriminator.norm virtual",
        ),
    ],
)
def test_contradictory_options_are_refused(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_an_upsampling_convolution_is_the_convolution_of_the_repeated_map():
    torch.manual_seed(0)
    layer, x = UpConv2d(3, 5), torch.randn(2, 3, 4, 6, requires_grad=True)
    repeated = F.interpolate(x, scale_factor=2)
    expected = F.conv2d(repeated, layer.weight, layer.bias, padding=1)
    assert torch.allclose(layer(x), expected, atol=1e-5)
    pull = torch.randn_like(expected)
    inputs = [x, layer.weight, layer.bias]
    own, plain = (torch.autograd.grad(y, inputs, pull) for y in (layer(x), expected))
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(own, plain, strict=True))


@pytest.mark.parametrize(("channels", "size"), [(1, (8, 6)), (3, (8, 6)), (1, (7, 5)), (4, (8, 6))])
def test_a_strided_convolution_is_pytorchs_with_a_gradient_and_without(channels, size):
    torch.manual_seed(0)
    layer, x = StridedConv2d(channels, 5), torch.randn(2, channels, *size)
    expected = F.conv2d(x, layer.weight, layer.bias, stride=2, padding=1)
    assert torch.equal(layer(x), expected)
    x.requires_grad_()
    expected = F.conv2d(x, layer.weight, layer.bias, stride=2, padding=1)
    assert torch.allclose(layer(x), expected, atol=1e-5)
    pull = torch.randn_like(expected)
    inputs = [x, layer.weight, layer.bias]
    own, plain = (torch.autograd.grad(y, inputs, pull) for y in (layer(x), expected))
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(own, plain, strict=True))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_transposed_convolution_is_pytorchs(channels):
    torch.manual_seed(0)
    layer, x = TransposedConv2d(5, channels), torch.randn(2, 5, 4, 6, requires_grad=True)
    expected = F.conv_transpose2d(x, layer.weight, layer.bias, stride=2, padding=1)
    assert torch.allclose(layer(x), expected, atol=1e-5)
    with torch.no_grad():  # where it is another product
        assert torch.allclose(layer(x), expected, atol=1e-5)
    pull = torch.randn_like(expected)
    inputs = [x, layer.weight, layer.bias]
    own, plain = (torch.autograd.grad(y, inputs, pull) for y in (layer(x), expected))
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(own, plain, strict=True))


def test_a_mapping_network_begins_as_the_identity_and_lets_the_noise_choose():
    """What a style does depends on the rest of it: f(a + b) - f(b) is not f(a) - f(0)."""
    torch.manual_seed(0)
    mapping = MappingNetwork(4, 16, NoNorm())
    a, b, zero = torch.randn(1, 4), torch.randn(1, 4), torch.zeros(1, 4)
    made = make_generator(mapping=8)
    assert not made.mapping.leave.weight.any()
    assert torch.equal(made.mapping(torch.ones(2, Z + K)), torch.ones(2, Z + K))
    assert not torch.allclose(mapping(a + b) - mapping(b), mapping(a) - mapping(zero), atol=1e-3)
    for wrong in (
        {"mapping": -1},
        {"mapping": 4, "noise_in_blocks": False},
        {"mapping": 4, "block": "transposed"},
    ):
        with pytest.raises(ValueError, match=r"generator\.mapping"):
            GeneratorOptions(**wrong)


def test_a_spatial_condition_is_averaged_down():
    spatial = torch.arange(16.0).view(1, 1, 4, 4)
    assert resized(spatial, [2])[2].tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]
