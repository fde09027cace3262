"""Every form of condition: what a person may send, what a data set holds, what the networks see, and a tiny
model trained under it."""

from __future__ import annotations

import base64
import io
import json
import random
import zlib
from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from PIL import Image

from cgan.conditions import CONDITIONS, Caption, Choice, Condition, Paint, Range, Sketch, pictures
from cgan.conditions.attributes import Attributes
from cgan.conditions.base import Remark
from cgan.conditions.image import Picture
from cgan.conditions.mask import Mask
from cgan.conditions.text import Text, _exchanged
from cgan.config import AdamOptions, from_json, to_json
from cgan.data import Images
from cgan.inference import prepare
from cgan.model import ConditionalGAN, ModelError
from cgan.regularizers.auxiliary import Auxiliary
from cgan.regularizers.gradients import R1
from cgan.regularizers.matching import Matching
from cgan.rng import stream
from cgan.timeline import Timeline
from cgan.training import trainer as trainer_module
from cgan.training.folder import finish
from cgan.training.log import sample_grid
from cgan.training.trainer import Trainer
from cgan.types import Attribute, Cond
from tests.conftest import CLASSES, tiny_config

N, SIZE = 32, 8
ATTRIBUTES = (
    Attribute("smile", low=-1.0, high=1.0, ends=("sad", "happy")),
    Attribute("hair", choices=("black", "red", "grey"), colours=("#000000", "#ff0000", "#808080")),
    Attribute("glasses", choices=("no", "yes")),
    Attribute("width", low=10.0, high=20.0),
)
CAPTIONS = (
    ("A happy face, red hair", "a happy one"),
    ("sad face with glasses",),
    ("black hair and glasses, sad",),
    (),
)


def targets() -> dict:
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(N) % len(CLASSES)
    values = torch.rand(N, 4, generator=rng)
    values[:, 0] = 2 * values[:, 0] - 1
    values[:, 1], values[:, 2], values[:, 3] = labels, labels % 2, 10 + 10 * values[:, 3]
    return {
        "label": labels,
        "classes": CLASSES,
        "attributes": values,
        "attribute_fields": ATTRIBUTES,
        "text": [CAPTIONS[k % len(CAPTIONS)] for k in range(N)],
        "mask": torch.randint(0, 3, (N, SIZE, SIZE), generator=rng, dtype=torch.uint8),
        "mask_classes": ("ground", "skin", "hair"),
        "mask_colours": ("#ffffff", "#ffcc99", "#331100"),
        "image": torch.randint(0, 256, (N, 1, SIZE, SIZE), generator=rng, dtype=torch.uint8),
    }


TARGETS = targets()
FORMS = {name: kind.form for name, kind in CONDITIONS.items()}
OPTIONS = {"text": Text(embedding=4, hidden=6, width=5)}


def condition(name: str) -> Condition:
    return OPTIONS.get(name, CONDITIONS[name]())


def encoder(name: str):
    torch.manual_seed(0)
    made = condition(name).fit(TARGETS).build()
    made.remember(made.encode(TARGETS))
    return made


def values_of(made) -> dict[str, str]:
    """What a person may fill into every field."""
    kinds = {
        Choice: lambda field: field.choices[-1],
        Range: lambda field: str(field.high),
        Caption: lambda field: field.examples[0],
        Paint: lambda field: field.examples[0],
        Sketch: lambda field: field.examples[0],
    }
    return {field.name: kinds[type(field)](field) for field in made.fields()}


def png(pixels: np.ndarray, mode: str | None = None, kind: str = "PNG", **options) -> str:
    picture, out = Image.fromarray(pixels), io.BytesIO()
    (picture.convert(mode) if mode else picture).save(out, kind, **options)
    return base64.urlsafe_b64encode(out.getvalue()).decode()


@pytest.mark.parametrize("name", CONDITIONS)
def test_options_survive_json(name):
    fitted = condition(name).fit(TARGETS)
    assert from_json(Condition, json.loads(json.dumps(to_json(fitted))), "condition") == fitted


@pytest.mark.parametrize("name", CONDITIONS)
def test_shapes_of_what_is_declared(name):
    made = encoder(name)
    raw = made.encode(TARGETS)
    assert len(raw) == N
    assert made.null(3).shape == (3, *raw.shape[1:])
    assert made.null(3).dtype == raw.dtype
    for rows in (raw, made.null(2), made.parse(values_of(made))):
        cond = made.embed(rows)
        if made.vector_dim:
            assert cond.vector.shape == (len(rows), made.vector_dim)
        if made.spatial_channels:
            assert cond.spatial.shape == (len(rows), made.spatial_channels, SIZE, SIZE)
        assert (cond.vector is not None) == bool(made.vector_dim)
        assert (cond.spatial is not None) == bool(made.spatial_channels)


@pytest.mark.parametrize("name", CONDITIONS)
def test_nothing_asked_is_nothing_seen(name):
    made = encoder(name)
    assert all(not part.any() for part in made.embed(made.null(2)) if part is not None)
    assert not made.given(made.null(2)).any()
    assert made.given(made.parse(values_of(made))).all()


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_row_is_embedded_as_it_would_be_alone(name):
    made = encoder(name)
    raw = made.encode(TARGETS)[:5]
    together = made.embed(raw)
    for k in range(5):
        for one, all_ in zip(made.embed(raw[k : k + 1]), together, strict=True):
            assert one is None or torch.allclose(one[0], all_[k], atol=1e-6)


@pytest.mark.parametrize("name", CONDITIONS)
def test_samples_depend_on_seed_and_index_alone(name):
    made = encoder(name)
    raw = made.sample(6, seed=3)
    assert torch.equal(made.sample(4, seed=3, first=2), raw[2:])
    assert not torch.equal(made.sample(6, seed=4), raw)
    known = made.encode(TARGETS)
    assert all((known == row).flatten(1).all(1).any() for row in raw), "drawn from the data"
    columns = made.decode(raw)
    assert list(columns) == [FORMS[name]]
    assert len(columns[FORMS[name]]) == 6


@pytest.mark.parametrize("name", [name for name in CONDITIONS if name != "label"])
def test_missing_data_are_named(name):
    with pytest.raises(ValueError, match=rf"no column '{FORMS[name]}'; nothing is known of its pictures"):
        condition(name).fit({"classes": CLASSES})


@pytest.mark.parametrize("name", CONDITIONS)
def test_unknown_fields_and_empty_options_are_refused(name):
    with pytest.raises(ValueError, match="unknown condition field 'lable'; this model accepts: "):
        encoder(name).parse({"lable": "1"})
    with pytest.raises(ValueError, match=r"must (name|know|be)"):
        CONDITIONS[name]().build()


def test_attributes_are_scaled_and_come_back():
    made = encoder("attributes")
    raw = made.parse({"smile": 0.5, "hair": "red:1,grey:3", "width": "20"})
    assert raw.tolist() == [[0.5, 0, 0.25, 0.75, 1, 0, 1, 1]]
    assert made.parse({}).tolist() == [[0, 1, 0, 0, 1, 0, 0, 1]]
    assert made.decode(raw)["attributes"].tolist() == [[0.5, 2, 0, 20]]
    decoded = made.decode(made.encode(TARGETS))["attributes"]
    assert np.allclose(decoded, TARGETS["attributes"], atol=1e-5)
    assert [type(field) for field in made.fields()] == [Range, Choice, Choice, Range]
    assert made.fields()[0] == Range("smile", -1.0, 1.0, 0.0, ("sad", "happy"))
    assert made.fields()[1].colours == ATTRIBUTES[1].colours


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"smile": "1.5"}, r"smile must be a number from -1 to 1, got '1\.5'"),
        ({"width": "wide"}, "width must be a number from 10 to 20, got 'wide'"),
        ({"smile": "nan"}, "smile must be a number"),
        ({"hair": "blak"}, r"unknown hair 'blak'\. Did you mean 'black'\?"),
        ({"hair": "red:-1"}, "hair weight of 'red' must be"),
        ({"hair": "red:0"}, "hair needs at least one weight above 0"),
        ({"smlie": "1"}, "Did you mean 'smile'"),
    ],
)
def test_bad_attributes_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        encoder("attributes").parse(values)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([Attribute("seed")], "no attribute may be called 'seed'"),
        ([Attribute("Smile")], "small letters"),
        ([Attribute("a"), Attribute("a")], "names of their own"),
        ([Attribute("a"), Attribute("a2")], "no attribute may be called 'a2' beside 'a'"),
        ([Attribute("a", choices=("x",))], "two or more"),
        ([Attribute("a", choices=("x", "y"), colours=("red", "#000000"))], "colour like"),
        ([Attribute("a", low=1.0, high=1.0)], "from low to a high at least 3.05176e-05 above it"),
        ([Attribute("a", low=1e9, high=1e9 + 39)], "at least 30517.6 above it, which float32 tells apart"),
        ([Attribute("a", low=0.0, high=5e-324)], "from low to a high at least"),
    ],
)
def test_attributes_that_no_address_could_carry_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Attributes().fit({"attributes": torch.zeros(3, len(fields)), "attribute_fields": tuple(fields)})


def test_the_attributes_auxiliary_loss_by_hand():
    made = encoder("attributes")
    raw = torch.cat([made.parse({"smile": "1", "hair": "red", "glasses": "yes"}), made.null(1)])
    outputs = torch.tensor([[0.5, 0, 2, 0, 0, 0, 0.05]]).expand(2, -1)
    hair = torch.logsumexp(torch.tensor([0.0, 2, 0]), 0) - 2
    expected = (5 - 0.5) + hair + torch.log(torch.tensor(2.0)) + 0.5 * 0.5**2
    loss = made.auxiliary_loss(outputs, raw, made.embed(raw))
    assert torch.allclose(loss, torch.stack([expected / 4, torch.zeros(())]))


def test_captions_are_read_word_by_word():
    made = encoder("text")
    assert made.options.vocabulary == (",", "a", "and", "black", "face", "glasses", "hair", "happy") + (
        ("one", "red", "sad", "with")
    )
    assert made.options.examples[0] == "A happy face, red hair"
    raw = made.parse({"text": "a HAPPY face,red hair!"})
    assert torch.equal(raw[0], made.encode(TARGETS)[0])
    assert made.decode(raw)["text"].tolist() == ["a happy face, red hair"]
    assert torch.equal(made.encode(TARGETS)[5], made.parse({"text": "sad face with glasses"})[0])
    assert not made.given(made.encode(TARGETS))[3], "a picture without a caption"


def test_chinese_captions_are_read_character_by_character():
    captions = ["一个红色的圆，在T-shirt上。", "一个方块,ちいさな"]
    made = Text(embedding=4, hidden=6).fit({"text": [(caption,) for caption in captions]}).build()
    known = set("一个红色的圆，在上。方块,ちいさな") | {"t-shirt"}
    assert set(made.options.vocabulary) == known
    raw = made.parse({"text": "一个 方块，在 T-shirt 上"})
    assert made.decode(raw)["text"].tolist() == ["一个方块，在 t-shirt 上"]
    assert made.encode({"text": [(captions[0],)]}).count_nonzero() == 11
    (remark,) = made.remarks({"text": "一个绿色的圆"})
    assert remark.text == "unknown word: '绿'."


def test_a_picture_without_a_caption_is_no_example():
    targets = {"text": [("",), (), ("...",), ("a red face",)]}
    assert Text().fit(targets).examples == ("a red face",)


def test_unknown_words_are_remarked_and_left_out():
    made = encoder("text")
    values = {"text": "a happi zyxw face, zyxw hair"}
    happi, zyxw = made.remarks(values)
    assert (happi.kind, happi.values) == ("unknown_word_meant", {"word": "happi", "meant": "happy"})
    assert happi.text == "unknown word: 'happi'. Did you mean 'happy'?"
    assert zyxw == Remark("unknown_word", {"word": "zyxw"}, "unknown word: 'zyxw'.")
    assert torch.equal(made.parse(values), made.parse({"text": "a face, hair"}))
    assert made.remarks({"text": "a face, hair"}) == ()
    (long,) = made.remarks({"text": "a " * 9})
    assert (long.kind, long.text) == ("too_many_words", "only the first 6 words are read")
    assert made.parse({"text": "a " * 9}).shape == (1, 6)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "no word that this model knows; accepted: such as 'A happy face, red hair'"),
        ({"text": "zyxw , ."}, "no word that this model knows"),
        ({"text": "a" * 301}, "at most 300 characters, got 301"),
    ],
)
def test_bad_captions_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        encoder("text").parse(values)


def test_the_order_and_length_of_a_caption_matter():
    made = encoder("text")
    embedded = [
        made.embed(made.parse({"text": t})).vector for t in ("red hair", "hair red", "red", "red hair a")
    ]
    assert all(not torch.allclose(a, b) for k, a in enumerate(embedded) for b in embedded[:k])


def said_before(raw):
    return F.pad(raw, (1, 0))[:, :-1]


def said_behind(raw):
    return F.pad(raw, (0, 1))[:, 1:]


def test_words_are_judged_by_hand():
    """True of their own picture and, while one learns, untrue of each other one, and another word in its
    place untrue of its own; what is said often in all counts no more than what is said once."""
    made = encoder("text")
    raw = torch.cat([made.encode(TARGETS)[:2], made.null(1)])
    times = Counter(raw.flatten().tolist())
    together = Counter(pair for row in raw.tolist() for pair in zip([0, *row], row, strict=False))
    assert max(times[place] for place in raw[0].tolist() if place) > 1
    pictures, asked = torch.randn(3, 5), torch.randn(3, 6, requires_grad=True)
    nothing = torch.tensor([0])
    torch.manual_seed(1)
    other = _exchanged(raw, 1000 * said_before(raw) + said_behind(raw))
    assert ((other == raw) & (raw > 0)).any() or (other == 0).any(), "some words have none"

    def truth(shown, around):
        said = made.saying(torch.cat([made.embedding(place)[0] for place in around]))
        return (shown @ said).sigmoid()

    def by_hand(shown, n, others):
        words = [place.view(1) for place in raw[n][raw[n] > 0]]
        if not words:
            return torch.zeros(())
        losses, weights = [], []
        for k in range(len(words)):
            around = [words[j] if 0 <= j < len(words) else nothing for j in range(k - 3, k + 4)]
            true = truth(shown, around)
            loss = -true[n].log()
            if others:
                loss = loss - torch.stack([(1 - true[m]).log() for m in range(3) if m != n]).mean()
                around[3] = other[n, k].view(1)
                if around[3] not in (0, words[k]):
                    loss = loss - (1 - truth(shown, around)[n]).log()
            losses.append(loss)
            before = int(words[k - 1]) if k else 0
            weights.append((times[int(words[k])] * together[before, int(words[k])]) ** -0.5)
        return (torch.stack(losses) * torch.tensor(weights)).sum() / sum(weights)

    def all_by_hand(shown, others):
        return torch.stack([by_hand(shown, n, others) for n in range(3)])

    within = (pictures - pictures.mean(0)) / (pictures.var(0, unbiased=False) + 1e-5).sqrt()
    learning = all_by_hand(made.showing(within), True) + all_by_hand(made.meaning(asked[:, :-1]), True)
    assert raw[0].count_nonzero() > 2
    assert not learning[2]
    torch.manual_seed(1)
    assert torch.allclose(made.auxiliary_loss(pictures, raw, Cond(asked)), learning, atol=1e-4)
    known = (pictures - made.evened.running_mean) / (made.evened.running_var + 1e-5).sqrt()
    drawing = made.auxiliary_loss(pictures, raw, Cond(asked.detach()))
    assert torch.allclose(drawing, all_by_hand(made.showing(known), False), atol=1e-5), (
        "by the real pictures'"
    )


def test_a_word_is_exchanged_for_one_that_fits_in_its_place():
    captions = ["looking left, red hair", "looking right, red hair", "blue hair", "looking left, blue hair"]
    made = Text(embedding=4, hidden=6).fit({"text": [(caption,) for caption in captions]}).build()
    raw = made.encode({"text": [(caption,) for caption in captions]})
    before, behind = said_before(raw), said_behind(raw)
    fitting = {}
    for place, *between in zip(*(x.flatten().tolist() for x in (raw, before, behind)), strict=True):
        fitting.setdefault(tuple(between), []).append(place)
    left = (raw == made.places["left"]).nonzero()[0]
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        other = _exchanged(raw, 1000 * before + behind)
        assert other.flatten().sort().values.equal(raw.flatten().sort().values), "each is said in the batch"
        for between, places in fitting.items():
            here = other[(before == between[0]) & (behind == between[1])].tolist()
            assert sum(place in places for place in here) >= len(places) - 1
        seen.add(int(other[tuple(left)]))
    assert made.places["right"] in seen


def test_maps_are_ids_in_any_kind_of_png():
    made = encoder("mask")
    ids = TARGETS["mask"][0].numpy()
    palette = Image.new("P", (SIZE, SIZE))
    palette.putpalette([9, 9, 9] * 256)
    palette.putdata(ids.flatten().tolist())
    out = io.BytesIO()
    palette.save(out, "PNG")
    texts = [png(ids), png(ids, "RGB"), png(ids, "RGBA"), png(ids).rstrip("=")]
    texts.append(base64.urlsafe_b64encode(out.getvalue()).decode())
    for text in texts:
        assert torch.equal(made.parse({"mask": text})[0], TARGETS["mask"][0])
    clear = np.dstack([ids, ids, ids, np.where(ids == 1, 0, 255)]).astype(np.uint8)
    expected = torch.where(TARGETS["mask"][0] == 1, 255, TARGETS["mask"][0])
    assert torch.equal(made.parse({"mask": png(clear)})[0], expected)
    assert made.embed(expected[None]).spatial.sum(1).eq(0).equal((expected == 255)[None])
    large = made.parse({"mask": png(ids.repeat(5, 0).repeat(5, 1))})
    assert torch.equal(large[0], TARGETS["mask"][0])


def test_drawings_come_in_any_kind_on_white():
    made = encoder("image")
    grey = TARGETS["image"][0, 0].numpy()
    assert torch.equal(made.parse({"image": png(grey)})[0, 0], TARGETS["image"][0, 0])
    smooth = np.full((40, 60), 200, np.uint8)
    for kind in ("PNG", "JPEG", "WEBP"):
        raw = made.parse({"image": png(smooth, "RGB", kind)})
        assert raw.shape == (1, 1, SIZE, SIZE)
        assert (raw.int() - 200).abs().max() <= 2
    deep = png(np.full((SIZE, SIZE), 200 * 257 - 100, np.uint16))
    assert (made.parse({"image": deep}) == 200).all()
    clear = np.zeros((SIZE, SIZE, 4), np.uint8)
    assert (made.parse({"image": png(clear)}) == 255).all()
    colour = Picture(size=SIZE, channels=3).build()
    assert colour.parse({"image": png(grey, "RGB")}).shape == (1, 3, SIZE, SIZE)


def bomb(width: int, height: int) -> str:
    """A PNG whose header promises more pixels than it is worth decoding."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    chunk = lambda kind, data: (  # noqa: E731
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    )
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    return base64.urlsafe_b64encode(b"\x89PNG\r\n\x1a\n" + data).decode()


WHOLE = png(np.zeros((SIZE, SIZE), np.uint8))


@pytest.mark.parametrize("field", ["mask", "image"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is missing; accepted: base64url of a PNG"),
        ("", "of at most 6000 characters and 1024x1024 pixels, got 0 characters"),
        ("A" * 6001, "got 6001 characters"),
        ("??", "got no base64url"),
        ("aGVsbG8", "got something else or a broken file"),
        (WHOLE[:60], "got something else or a broken file"),
        (png(np.zeros((4, 4), np.uint8), kind="GIF"), "got something else or a broken file"),
        (png(np.zeros((2, 1025), np.uint8)), "got more pixels"),
        (bomb(12_000, 9_000), "got more pixels"),
        (bomb(60_000, 60_000), "got more pixels"),
    ],
)
def test_bad_pictures_are_named(field, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        encoder(field).parse({} if text is None else {field: text})
    assert str(caught.value).startswith(field)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", ["mask", "image"])
def test_any_damage_is_one_line_or_a_picture(field):
    made, rng = encoder(field), random.Random(0)
    data = bytearray(base64.urlsafe_b64decode(values_of(made)[field] + "=="))
    lines = []
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(8, len(broken))] = rng.randrange(256)
        try:
            made.parse({field: base64.urlsafe_b64encode(bytes(broken)).decode()})
        except ValueError as error:
            lines.append(str(error))
    assert len(lines) > 200
    assert all(line.startswith(field) and "\n" not in line for line in lines)


def test_an_id_that_is_no_class_is_named():
    with pytest.raises(ValueError, match="mask has the value 7; accepted: 0 ground, 1 skin, 2 hair, or 255"):
        encoder("mask").parse({"mask": png(np.full((SIZE, SIZE), 7, np.uint8))})
    with pytest.raises(ValueError, match="mask has the value 2; accepted: 0 ground, 1 skin, or 255"):
        Mask().fit(TARGETS | {"mask_classes": ("ground", "skin")})


def test_examples_that_are_too_long_are_left_out_or_lose_detail():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert pictures.examples([noise]) == ()
    (text,) = pictures.examples([noise // 8 + 100], lossy=True)
    assert pictures.read_picture("image", text, 64, 3).shape == (3, 64, 64)
    pale = noise // 32 + 248  # three bits a colour are too long, two are not
    (text,) = pictures.examples([pale], lossy=True)
    found = np.asarray(pictures.read_picture("image", text, 64, 3)).transpose(1, 2, 0).astype(int)
    assert np.abs(found - pale).max() == 1
    assert (found[pale == 255] == 255).all()
    large = noise.repeat(4, 0).repeat(4, 1) // 4 + 100
    assert len(pictures.examples([large], lossy=True)) == 1


CHANGES = {
    "attributes": {"regularizers": {"r1": R1(every=2), "auxiliary": Auxiliary()}},
    "text": {"regularizers": {"r1": R1(every=2), "auxiliary": Auxiliary(), "matching": Matching(every=2)}},
    "mask": {"regularizers": {"r1": R1(every=2)}, "generator__spatial_hidden": 3},
    "image": {"generator__spatial": "encoded", "generator__spatial_hidden": 3},
}


def configured(name: str, **changes):
    changes = CHANGES.get(name, {}) | {"training__condition_dropout": 0.2} | changes
    return tiny_config(condition=condition(name), **changes)


def test_an_encoder_may_learn_alone_at_first_and_at_a_rate_of_its_own(tmp_path):
    data = Images(torch.randint(0, 256, (N, 1, SIZE, SIZE), dtype=torch.uint8), TARGETS)
    changes = {"training__encoder_kimg": 0.032, "training__encoder_lr": 0.03}
    config = configured("text", **changes)
    start = ConditionalGAN(config.model(TARGETS, SIZE, 1))
    with pytest.raises(ValueError, match="encoder_kimg needs regularizers.auxiliary"):
        configured("text", **changes, regularizers={})
    assert not Trainer(config, data, tmp_path).encoder_alone, "beside networks that know nothing"
    trainer = Trainer(config, data, tmp_path, start=start)
    for alone in (True, True, False):
        before = {key: weight.clone() for key, weight in trainer.model.named_parameters()}
        trainer.step()
        moved = {
            key.split(".")[0]
            for key, weight in trainer.model.named_parameters()
            if not torch.equal(before[key], weight)
        }
        assert moved == ({"encoder"} if alone else {"encoder", "generator", "discriminator"})
    rates = {
        group["part"]: group["lr"].item()
        for player in ("generator", "discriminator")
        for group in getattr(trainer.players, f"{player}_optimizer").param_groups
    }
    assert rates == {"generator": 2e-4, "discriminator": 2e-4, "encoder": 0.03}


def test_an_encoder_that_learns_alone_learns_from_every_batch_of_a_step(tmp_path, monkeypatch):
    seen = []
    turn = trainer_module.encoder_turn
    monkeypatch.setattr(
        trainer_module, "encoder_turn", lambda *given: seen.append(given[2].raw) or turn(*given)
    )
    data = Images(torch.zeros(N, 1, SIZE, SIZE, dtype=torch.uint8), TARGETS)
    config = configured("text", training__encoder_kimg=1, training__discriminator_steps=2)
    Trainer(config, data, tmp_path, start=ConditionalGAN(config.model(TARGETS, SIZE, 1))).step()
    assert len(seen) == 2
    assert not torch.equal(*seen)


ONCE = {"generator__noise_in_blocks": False}  # then blocks read nothing but the map
WAYS = [*((name, {}) for name in CONDITIONS), ("mask", ONCE), ("image", ONCE)]


@pytest.mark.parametrize(("name", "changes"), WAYS)
def test_a_model_is_trained_saved_loaded_and_obeys_its_noise(name, changes, tmp_path):
    images = torch.randint(0, 256, (N, 1, SIZE, SIZE), dtype=torch.uint8)
    data = Images(images, TARGETS)
    trainer = Trainer(configured(name, **changes), data, tmp_path)
    before = {key: weight.clone() for key, weight in trainer.model.named_parameters()}
    trained = trainer.fit()
    assert all(not torch.equal(before[key], weight) for key, weight in trainer.model.named_parameters())
    finish(trainer, "a test")
    model = ConditionalGAN.load(tmp_path)
    raw, noise = model.encoder.sample(4, seed=1), model.noise(1, 4)
    assert torch.allclose(raw.float(), trained.encoder.sample(4, seed=1).float(), atol=1e-3)
    if name != "label":
        assert model.encoder.given(model.encoder.bank).any()
    drawn, kept = trained.sample(noise, raw).int(), model.sample(noise, raw).int()
    assert (drawn - kept).abs().max() <= 4, "in half precision"
    same = model(noise, raw[:1].expand(4, *raw.shape[1:]))
    assert (same[0] - same[1:]).abs().amax((1, 2, 3)).min() > 1e-3, "noise under one condition"
    asked = model.encoder.parse(values_of(model.encoder))
    pictures_of = model(noise[:1].expand(2, -1), torch.cat([asked, model.encoder.null(1)]))
    assert not torch.allclose(*pictures_of), "the condition is heard"
    assert sample_grid(model, columns=3).ndim == 3
    Timeline(tmp_path).load_into(model, 0)
    assert torch.equal(model.encoder.sample(4, seed=1), raw), "a snapshot leaves the data's conditions"


@pytest.mark.parametrize("name", ["text", "mask"])
def test_a_bank_of_what_can_not_be_asked_is_refused(name, tmp_path):
    model = ConditionalGAN(configured(name).model(TARGETS, SIZE, 1))
    model.encoder.bank.fill_(99)
    model.save(tmp_path)
    with pytest.raises(ModelError, match=r"model\.safetensors: encoder\.bank: "):
        ConditionalGAN.load(tmp_path)


def test_the_encoder_learns_with_the_discriminator(tmp_path):
    config = configured("text", training__generator_optimizer=AdamOptions(lr=1e-30))
    trainer = Trainer(config, Images(torch.zeros(N, 1, SIZE, SIZE, dtype=torch.uint8), TARGETS), tmp_path)
    before = {key: weight.clone() for key, weight in trainer.model.named_parameters()}
    trainer.step()
    moved = {
        key.split(".")[0]
        for key, weight in trainer.model.named_parameters()
        if not torch.allclose(weight, before[key], atol=1e-20)
    }
    assert moved == {"encoder", "discriminator"}


@pytest.mark.parametrize("name", CONDITIONS)
def test_processes_share_what_an_encoder_has_seen(name, tmp_path, monkeypatch):
    """A checkpoint holds the statistics of one of them, by which all go on."""
    data = Images(torch.randint(0, 256, (N, 1, SIZE, SIZE), dtype=torch.uint8), TARGETS)
    trainer = Trainer(configured(name), data, tmp_path)
    monkeypatch.setattr(Accelerator, "num_processes", 2)
    monkeypatch.setattr(Accelerator, "reduce", lambda self, tensor, reduction: torch.full_like(tensor, 7.0))
    trainer.step()
    shared = {key for key, buffer in trainer.model.encoder.named_buffers() if (buffer == 7).all()}
    assert shared == ({"evened.running_mean", "evened.running_var"} if name == "text" else set())


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_resumed_run_keeps_the_bank(name, tmp_path):
    data = Images(torch.zeros(N, 1, SIZE, SIZE, dtype=torch.uint8), TARGETS)
    first = Trainer(configured(name), data, tmp_path)
    first.fit()
    again = Trainer(configured(name), data, tmp_path)
    again.fit()
    for key, tensor in first.averaged().state_dict().items():
        assert torch.equal(again.averaged().state_dict()[key], tensor), key


@pytest.mark.parametrize(("name", "changes"), WAYS)
def test_a_generator_made_ready_draws_the_same(name, changes):
    torch.manual_seed(0)
    model = ConditionalGAN(configured(name, **changes).model(TARGETS, SIZE, 1))
    model.encoder.remember(model.encoder.encode(TARGETS))
    raw, noise = model.encoder.sample(8, seed=0), model.noise(0, 8)
    model(noise, raw)  # batch norms take notice
    model.eval()
    with torch.inference_mode():
        cond = model.encoder.embed(raw)
        expected = model.generator(noise, cond)
        prepare(model.generator, torch.float32)
        assert torch.allclose(model.generator(noise, cond), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["label", "attributes"])
def test_an_encoder_without_weights_does_not_learn_alone(name):
    config = configured(name, regularizers={"auxiliary": Auxiliary()}, training__encoder_kimg=1)
    with pytest.raises(ValueError, match=rf"training\.encoder_kimg does not go with condition {name}"):
        config.model(TARGETS, SIZE, 1)


@pytest.mark.parametrize(
    ("other", "option"),
    [
        (Text(length=3), "length"),
        (Text(vocabulary=("a", "word")), "vocabulary"),
        (Mask(classes=("sky", "sea"), colours=("#000000", "#ffffff")), "classes"),
        (Picture(size=16), "size"),
    ],
)
def test_what_follows_from_the_data_is_not_given_otherwise(other, option):
    tiny_config(condition=other.fit(TARGETS)).model(TARGETS, SIZE, 1)
    with pytest.raises(ValueError, match=rf"condition\.{option} follows from the data"):
        tiny_config(condition=other).model(TARGETS, SIZE, 1)


@pytest.mark.parametrize("name", ["mask", "image"])
def test_an_auxiliary_head_without_anything_to_read_is_refused(name):
    config = configured(name, regularizers={"auxiliary": Auxiliary()})
    with pytest.raises(ValueError, match=rf"regularizers\.auxiliary does not go with condition {name}"):
        config.model(TARGETS, SIZE, 1)


def test_a_label_and_its_noise_come_from_streams_of_their_own():
    made = encoder("label")
    same = [int(stream(3, k).integers(len(made.classes))) for k in range(200)]
    assert made.sample(200, 3).argmax(1).tolist() != same
