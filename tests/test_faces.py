"""Cartoon faces: the same every time, and what is said of each face is so."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from cgan.data import DATASETS
from cgan.data.faces import dataset, drawing, hair
from cgan.data.faces.__main__ import main
from cgan.data.faces.attributes import (
    ATTRIBUTES,
    CLASSES,
    NAMES,
    Details,
    attribute_values,
    details,
    uniforms,
    visibility,
)
from cgan.data.faces.captions import terms, vocabulary
from cgan.data.faces.dataset import Faces
from cgan.data.faces.drawing import Painter
from cgan.data.faces.pen import Pen, _spread, box, curve, ellipse

COUNT = 200


@pytest.fixture(scope="module")
def faces() -> dict:
    return Faces().draw("train", 0, COUNT)


def vector(**values: float | str) -> np.ndarray:
    """The middle of every range and the first choice, but for `values`."""
    row = [0.0 if a.choices else (a.low + a.high) / 2 for a in ATTRIBUTES]
    for name, value in values.items():
        k = NAMES.index(name)
        row[k] = ATTRIBUTES[k].choices.index(value) if isinstance(value, str) else value
    return np.array(row, np.float32)


def drawn(**values: float | str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    plain = Details(**dict.fromkeys(Details.__annotations__, 0.3))
    return tuple(part[0] for part in Painter(64).draw(vector(**values)[None], [plain]))


def visible(**values: float | str) -> dict[str, bool]:
    seen = Faces.visible(torch.from_numpy(vector(**values)[None]))
    return dict(zip(NAMES, seen[0].tolist(), strict=True))


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_a_face_depends_on_split_and_index_alone(faces, monkeypatch):
    monkeypatch.setattr(dataset, "BLOCK", 3)
    again = Faces().draw("train", 20, 7)
    assert same(again, {name: column[20:27] for name, column in faces.items()})
    assert not np.array_equal(Faces().draw("test", 20, 1)["images"], again["images"][:1])


def test_many_processes_draw_what_one_draws(faces, monkeypatch):
    monkeypatch.setattr(dataset, "SEVERAL", 10)
    monkeypatch.setattr(dataset, "BLOCK", 5)
    monkeypatch.setattr(dataset, "cores", lambda: 1)
    assert same(Faces().draw("train", 0, 10), {name: column[:10] for name, column in faces.items()})


def test_the_first_test_face_stays_as_it_is():
    first = Faces().draw("test", 0, 1)
    values = dict(zip(NAMES, first["attributes"][0].tolist(), strict=True))
    assert values["hair_style"] == 1
    assert values["smile"] == pytest.approx(0.39133415)
    assert first["text"][0] == (
        "a happy wide clean shaven person, light skin, big purple eyes",
        "a smiling clean shaven person with open purple eyes and black clothes, lit from the right, "
        "looking right",
        "a wide clean shaven face with a shut mouth, no hat and black clothing, lit from the right, "
        "looking right",
    )


def test_attributes_fill_their_ranges(faces):
    for attribute, column in zip(ATTRIBUTES, faces["attributes"].T, strict=True):
        if attribute.choices:
            assert set(column) == set(range(len(attribute.choices)))
        else:
            spread = attribute.high - attribute.low
            assert attribute.low <= column.min() < attribute.low + 0.1 * spread
            assert attribute.high - 0.1 * spread < column.max() <= attribute.high


def test_every_class_of_the_map_occurs_and_is_thick_enough(faces):
    pixels = np.stack([(faces["mask"] == k).sum((1, 2)) for k in range(len(CLASSES))])
    assert faces["mask"].max() == len(CLASSES) - 1
    for count, name in zip(pixels, CLASSES, strict=True):
        assert np.median(count[count > 0]) >= 12, name
    always = [
        list(CLASSES).index(n) for n in ("background", "skin", "brows", "eyes", "nose", "mouth", "clothes")
    ]
    assert (pixels[always] > 0).all()
    worn = {name: faces["attributes"][:, NAMES.index(name)] > 0 for name in ("glasses", "hat", "facial_hair")}
    for name, there in worn.items():
        assert ((pixels[list(CLASSES).index(name.replace("_", " "))] > 0) == there).all()


def test_what_is_within_reach_is_found():
    numbers = np.zeros((2, 20, 20), np.int8)
    numbers[:, 9, 8], numbers[:, 9, 11], numbers[1, 9, 7] = 4, 2, -6
    rows, columns = np.mgrid[:20, :20]
    for radius in (0.5, 1.0, 1.5, 2.0, 3.2, 4.9):
        near = [(rows - 9) ** 2 + (columns - x) ** 2 <= radius**2 for x in (8, 11)]
        first, second = _spread(numbers, radius)
        assert np.array_equal(first, np.where(near[0], 4, np.where(near[1], 2, 0)))
        assert (first != second).sum() == (radius < 1)  # alone with itself


@pytest.mark.parametrize("size", [32, 64, 128])
def test_lines_run_along_the_edges_of_what_lies_on_top(size):
    """A disc on a square, a band on both: what is covered has no contour, and a band has none."""
    pen = Pen(size, ("ground", "square", "disc", "band"), 1)
    pen.begin(0, np.zeros((size, size, 4), np.uint8))
    pen.shape(box(32, 32, 20, 20, 0.01), 0xFF0000, "square")
    pen.shape(ellipse(32, 32, 10, 10), 0x00FF00, "disc")
    pen.line(curve((8, 44), (56, 44), close=False), 0x0000FF, 4, "band", ink=1)
    (classes,), (lines,) = pen.maps(1), pen.lines(1)
    y, x = (np.mgrid[:size, :size] + 0.5) * 64 / size
    near = 64 / size  # a pixel
    disc, across = np.hypot(x - 32, y - 32) - 10, np.stack([abs(x - 32), abs(y - 32)]) - 20
    square = np.where(across.max(0) > 0, np.hypot(*across.clip(0)), across.max(0))
    band = np.maximum(abs(y - 44) - 2, abs(x - 32) - 26)
    for name, inside in (("band", band), ("disc", np.where(band > near, disc, 99)),
                         ("square", np.where((band > near) & (disc > near), square, 99))):  # fmt: skip
        assert (classes[inside < -near] == pen._ids[name]).all(), name
    ink = abs(y - 44) < 0.3
    assert (lines[(x > 10) & (x < 54) & ink] < 160).all()
    for distance in (disc, square):
        clear = (band > near + 1) & ((distance is disc) | (disc > 3))
        edge = clear & (distance > 0.3 * near) & (distance < 0.94 - 0.3 * near)
        assert (lines[edge] < 130).all()
    far = (disc > 0.94 + near) | (disc < -near)
    blank = far & ((square > 0.94 + near) | (square < -near)) & (abs(y - 44) > 0.5 + near)
    assert (lines[blank] == 255).all()


def test_numbers_suffice_for_every_part(monkeypatch):
    painter, most, begin = Painter(32), [], Pen.begin

    def spy(self, face, colours):
        most.append(self._last)
        begin(self, face, colours)

    painter.draw(attribute_values(pool := uniforms("train", 0, 2)), [details(row) for row in pool])
    monkeypatch.setattr(Pen, "begin", spy)
    pool = uniforms("train", 0, 1000)
    painter.draw(attribute_values(pool), [details(row) for row in pool])
    assert max(most) < 127  # of int8


def test_paths_that_are_stretched_are_those_that_were_meant(faces, monkeypatch):
    """Drawn with every path made anew: stretching takes a path's coordinates to be linear."""
    stretched = [
        (module, name, make.__wrapped__)
        for module in (drawing, hair)
        for name, make in vars(module).items()
        if hasattr(make, "__wrapped__") and not hasattr(make, "cache_info")
    ]
    assert len(stretched) > 15
    for module, name, make in stretched:
        monkeypatch.setattr(module, name, make)
    pool = uniforms("train", 0, COUNT)
    colours, maps, lines = Painter(64).draw(attribute_values(pool), [details(row) for row in pool])
    assert (np.abs(colours.astype(int) - faces["images"]) > 8).mean() < 1e-4
    assert (maps != faces["mask"]).mean() < 1e-4
    assert (np.abs(lines.astype(int) - faces["image"][:, 0]) > 60).mean() < 1e-4


def test_lines_are_black_on_white(faces):
    lines = faces["image"]
    assert lines.min() == 0
    assert (lines == 255).mean() > 0.6
    assert (lines.reshape(COUNT, -1) < 128).mean(1).min() > 0.03


def test_captions_say_what_is_so_and_can_be_seen(faces):
    seen = Faces.visible(torch.from_numpy(faces["attributes"])).numpy()
    named = set()
    for row, shown, texts in zip(faces["attributes"], seen, faces["text"], strict=True):
        assert len(texts) >= 3
        for text in texts:
            asked = terms(text)
            assert len(asked) >= 2, text
            named |= set(asked)
            for name, (low, high) in asked.items():
                k = NAMES.index(name)
                assert shown[k], f"{text}: {name} can't be seen"
                assert low <= row[k] <= high, f"{text}: {name} is {row[k]}"
    assert named == set(NAMES)


def test_captions_keep_to_the_vocabulary(faces):
    words = {word for texts in faces["text"] for text in texts for word in re.findall(r"[a-z]+", text)}
    assert words <= set(vocabulary())
    assert 80 <= len(vocabulary()) <= 120


@pytest.mark.parametrize(
    ("caption", "asked"),
    [
        ("A happy face, long red hair, round glasses, looking left",
         {"smile": (0.35, 1), "hair_style": (5, 5), "hair_colour": (2, 2), "glasses": (1, 1),
          "gaze": (-1, -0.4)}),
        ("someone bald with spectacles and no hat", {"hair_style": (0, 0), "glasses": (1, 2), "hat": (0, 0)}),
        ("eyes closed, mouth open", {"eye_openness": (0, 0.12), "mouth_open": (0.5, 1)}),
        ("a pink beard on a blue background",
         {"facial_hair": (2, 2), "hair_colour": (6, 6), "background": (4, 4)}),
        ("no beard", {"facial_hair": (0, 0)}),
        ("a quick brown fox", {}),
    ],
)  # fmt: skip
def test_terms_of_what_people_write(caption, asked):
    assert terms(caption) == asked


@pytest.mark.parametrize("form", ["mask", "image", "attributes", "text"])
def test_faces_alike_differ_in_what_their_condition_leaves_open(form, monkeypatch):
    """Seen by what is handed to the painter, and painted again."""
    asked, draw = [], Painter.draw

    def spy(self, values, own):
        asked.extend(zip(values, own, strict=True))
        return draw(self, values, own)

    monkeypatch.setattr(Painter, "draw", spy)
    images = Faces(size=32).alike(form, conditions=12, each=4)
    assert images.shape == (48, 3, 32, 32)
    assert all(not torch.equal(images[k], images[k + 1]) for k in range(0, 48, 2))
    pool = uniforms("test", 0, 12)
    first = attribute_values(pool)
    captions = dataset._captions("test", range(12), first)
    column = {"mask": 1, "image": 2}.get(form)
    for k, (values, own) in enumerate(list(asked)):
        face = k // 4
        if column:
            both = np.stack([values, first[face]])
            found, wanted = draw(Painter(32), both, [own, details(pool[face])])[column]
            assert np.array_equal(found, wanted)
        elif form == "attributes":
            assert np.array_equal(values, first[face])
        else:
            seen = dict(zip(NAMES, values, strict=True))
            visible = dict(zip(NAMES, visibility(values[None])[0], strict=True))
            for name, (low, high) in terms(captions[face][0]).items():
                assert low <= seen[name] <= high
                assert visible[name]


def test_what_cannot_be_seen_does_not_change_the_picture():
    closed = {"eye_openness": 0.0}
    assert np.array_equal(drawn(**closed, gaze=-1.0)[1], drawn(**closed, gaze=1.0)[1])
    assert not visible(**closed)["gaze"]
    assert not visible(**closed)["eye_colour"]
    assert visible(eye_openness=0.5)["eye_colour"]

    hidden = {"hat": "cap", "hair_colour": "pink"}
    short, spiky = (drawn(**hidden, hair_style=style) for style in ("short", "spiky"))
    assert all(np.array_equal(a, b) for a, b in zip(short, spiky, strict=True))
    assert not visible(**hidden, hair_style="short")["hair_style"]
    assert visible(**hidden, hair_style="short")["hair_colour"]
    assert visible(**hidden, hair_style="long")["hair_style"]
    assert not visible(hair_style="bald")["hair_colour"]
    assert visible(hair_style="bald", facial_hair="beard")["hair_colour"]


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.name)
def test_every_attribute_shows(attribute):
    base = {"hair_style": "long", "eye_openness": 0.6}
    ends = (
        (attribute.choices[0], attribute.choices[-1])
        if attribute.choices
        else (attribute.low, attribute.high)
    )
    a, b = (drawn(**base | {attribute.name: end})[0].astype(int) for end in ends)
    assert (np.abs(a - b).max(0) > 24).sum() >= 20


def test_smile_lifts_the_corners_of_the_mouth():
    def bend(smile: float) -> float:
        y, x = np.nonzero(drawn(smile=smile)[1] == list(CLASSES).index("mouth"))
        edge = np.abs(x - x.mean()) > 5
        return y[~edge].mean() - y[edge].mean()

    assert bend(-1) < -0.8 < bend(0) < 0.8 < bend(1)


def test_it_loads_and_is_read_back_identical(tmp_path):
    first = Faces(count=5).load(tmp_path, "train")
    assert first.images.shape == (5, 3, 64, 64)
    assert first.targets["attributes"].dtype == torch.float32
    assert first.targets["mask"].shape == (5, 64, 64)
    assert first.targets["image"].shape == (5, 1, 64, 64)
    assert len(first.targets["mask_classes"]) == len(first.targets["mask_colours"]) == 11
    assert [len(texts) for texts in first.targets["text"]] == [3] * 5
    (folder,) = tmp_path.iterdir()
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = Faces(count=5).load(tmp_path, "train")
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert torch.equal(first.images, again.images)
    assert first.targets["text"] == again.targets["text"]
    assert all(torch.equal(first.targets[n], again.targets[n]) for n in ("attributes", "mask", "image"))


@pytest.mark.parametrize("harm", [b"", b"no array", None])
def test_a_damaged_cache_is_drawn_again(tmp_path, harm):
    first = Faces(count=3, size=32).load(tmp_path, "train")
    (folder,) = tmp_path.iterdir()
    damaged = folder / "images.npy"
    damaged.unlink()
    if harm is not None:
        damaged.write_bytes(harm)
    assert torch.equal(Faces(count=3, size=32).load(tmp_path, "train").images, first.images)
    assert np.array_equal(np.load(damaged), first.images.numpy())
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_options_have_their_own_cache_and_size_is_heeded(tmp_path):
    small, large = (Faces(count=2, size=size).load(tmp_path, "train") for size in (32, 96))
    assert small.size == 32
    assert large.size == 96
    assert len(list(tmp_path.iterdir())) == 2
    assert torch.equal(small.targets["attributes"], large.targets["attributes"])


def test_a_root_that_cannot_be_written_to_is_no_obstacle(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"")
    assert len(Faces(count=2, size=32).load(file / "root", "train")) == 2


def test_without_the_drawing_library_the_cache_still_serves(tmp_path, monkeypatch):
    kept = Faces(count=2, size=32).load(tmp_path, "train")
    monkeypatch.setitem(sys.modules, "cgan.data.faces.drawing", None)
    assert torch.equal(Faces(count=2, size=32).load(tmp_path, "train").images, kept.images)
    with pytest.raises(FileNotFoundError, match=r"requirements-train\.txt"):
        Faces(count=3, size=32).load(tmp_path, "train")


@pytest.mark.parametrize(("field", "value"), [("size", 16), ("size", 1024), ("count", 0)])
def test_bad_options_name_the_field(field, value):
    with pytest.raises(ValueError, match=rf"dataset\.{field} .* got {value}"):
        DATASETS["faces"](**{field: value})


def test_the_sheet_command_writes_a_picture(tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert main(["sheet", "--out", str(out), "--rows", "1", "--columns", "2", "--size", "32"]) == 0
    with Image.open(out) as picture:
        assert picture.size == (64, 96)
    assert main(["sheet", "--out", str(out), "--rows", "0"]) == 2
    assert "--rows" in capsys.readouterr().err
