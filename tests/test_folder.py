"""A person's own pictures: the layouts, what is left out and said, and a training from the command line."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import PartialState
from PIL import Image

import train
from cgan.__main__ import main as cgan
from cgan.data import Images, files
from cgan.data.files import read_files
from cgan.data.folder import Folder
from cgan.metrics.features import FeatureNetwork
from cgan.metrics.features import main as features
from cgan.model import ConditionalGAN
from cgan.preview import summary
from cgan.types import Attribute

TINY = ["--generator.widths", "4", "--discriminator.widths", "4,8", "--dataset.size", "8"]


def picture(path: Path, colour: object = "red", size: tuple[int, int] = (8, 8), mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)
    return path


def load(root: Path, split: str = "train", **options):
    return Folder(**({"size": 8} | options)).load(root, split)


def both(root: Path, **options) -> tuple[int, dict]:
    """How many pictures the two splits hold, and the targets of training."""
    data = load(root, **options)
    try:
        return len(data) + len(load(root, "test", **options)), data.targets
    except ValueError:
        return len(data), data.targets


@pytest.fixture
def classes(tmp_path) -> Path:
    for k in range(60):
        picture(tmp_path / "in" / ("apple", "pear")[k % 2] / f"{k}.png", (255, 255 * (k % 2), 0))
    return tmp_path / "in"


def table(root: Path, rows: list[dict], name: str = "metadata.jsonl") -> Path:
    """A root with these rows and a picture for each."""
    for row in rows:
        picture(root / row["file_name"])
    (root / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


def split_folders(root: Path, rows: list[dict]) -> Path:
    """As `table`, with all rows for training and a test picture."""
    table(root / "test", rows[:1])
    table(root / "train", rows)
    return root


def test_class_folders_and_the_same_tenth_for_testing(classes):
    data, test = load(classes), load(classes, "test")
    assert len(data) + len(test) == 60
    assert 1 <= len(test) <= 15
    assert data.targets["classes"] == test.targets["classes"] == ("apple", "pear")
    assert data.images.dtype == torch.uint8
    for images, labels in ((data.images, data.targets["label"]), (test.images, test.targets["label"])):
        assert torch.equal(images[:, 1, 0, 0] // 255, labels)
    picture(classes / "apple" / "new.png")
    after = load(classes, "test")
    assert len(after) - len(test) in (0, 1), "a new picture moves no other one to the other split"


def test_numbers_as_classes_are_in_their_order(tmp_path):
    for k in (10, 9, 1):
        picture(tmp_path / "train" / str(k) / "a.png")
    picture(tmp_path / "test" / "1" / "a.png")
    assert load(tmp_path).targets["classes"] == ("1", "9", "10")


def test_a_class_without_a_picture_for_training_is_named(tmp_path, capfd):
    for label in ("bad", "cat", "dog"):
        picture(tmp_path / "train" / label / "a.png")
    (tmp_path / "train" / "bad" / "a.png").write_bytes(b"")
    picture(tmp_path / "test" / "emu" / "a.png")
    assert load(tmp_path).targets["classes"] == ("bad", "cat", "dog", "emu")
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("class")]
    assert told == [f"class {label!r}: it has no picture for training" for label in ("bad", "emu")]


def test_rarer_names_of_pictures_are_read_and_other_kinds_counted(tmp_path, capfd):
    for suffix in ("jfif", "jpe", "pbm", "pnm"):
        kind = "JPEG" if suffix[0] == "j" else "PPM"
        place = tmp_path / "train" / f"a.{suffix}"
        place.parent.mkdir(exist_ok=True)
        Image.new("1" if suffix == "pbm" else "RGB", (8, 8)).save(place, kind)
    for name in ("a.heic", "b.HEIC", "c.avif", ".d.avif", "notes.txt"):
        (tmp_path / "train" / name).write_bytes(b"")
    picture(tmp_path / "test" / "a.png")
    assert len(load(tmp_path)) == 4
    assert capfd.readouterr().err == "train: 3 files of other kinds (.avif, .heic); left out\n"


@pytest.mark.parametrize("name", ["test", "validation", "valid"])
def test_split_folders(tmp_path, name):
    for split, count in (("train", 5), (name, 2)):
        for k in range(count):
            picture(tmp_path / split / "cat" / f"{k}.png")
    assert (len(load(tmp_path)), len(load(tmp_path, "test"))) == (5, 2)


def test_a_train_folder_alone_or_beside_others(tmp_path):
    for k in range(40):
        picture(tmp_path / "train" / "cat" / f"{k}.png")
    count, targets = both(tmp_path)
    assert (count, targets["classes"]) == (40, ("cat",))
    picture(tmp_path / "bus" / "0.png")
    assert both(tmp_path)[1]["classes"] == ("bus", "train"), "vehicles"


def test_what_an_unpacked_archive_leaves_beside_is_passed_over(tmp_path, capfd):
    paired(tmp_path / "a", 4)
    for folder in ("__MACOSX/images", "extra"):
        picture(tmp_path / "a" / folder / "._0.png")
    assert {"mask", "image"} <= set(load(tmp_path / "a").targets)
    assert capfd.readouterr().err == "extra: neither images, masks nor conditions; left out\n"
    for split in ("train", "test", "__MACOSX"):
        picture(tmp_path / "b" / split / "cat" / "0.png")
    assert load(tmp_path / "b").targets["classes"] == ("cat",)


def test_names_that_are_no_utf_8(tmp_path, classes):
    old = os.fsencode(classes) + b"/caf\xe9"
    os.makedirs(old)
    picture(classes / "0.png").rename(os.fsdecode(old + b"/0.png"))
    assert load(classes).targets["classes"] == ("apple", "caf?", "pear")
    rows = [{"file_name": f"{k}.png", "label": f"\ud800{k}", "text": "\udc00 b"} for k in range(3)]
    targets = load(split_folders(tmp_path / "rows", rows)).targets
    assert (targets["classes"], targets["text"][0]) == (("?0", "?1", "?2"), ("? b",))


def test_columns_become_attributes(tmp_path):
    rows = [
        {"file_name": "a.png", "label": "cat", "text": ["a cat", "one cat"], "Hair Length": 2, "hat": False,
         "tone": "warm", "bit": 1, "same": 3, "box": [1], "7": "x"},
        {"file_name": "b.png", "label": "dog", "text": "a dog", "Hair Length": 7.5, "hat": True,
         "tone": "cold", "bit": 0, "same": 3, "box": [2], "7": "y"},
        {"file_name": "c.png", "label": "dog", "Hair Length": 3, "hat": True, "tone": None, "bit": 0,
         "same": 3, "box": [], "7": "x"},
    ]  # fmt: skip
    targets = load(split_folders(tmp_path, rows)).targets
    assert targets["attribute_fields"] == (
        Attribute("hair_length", low=2.0, high=7.5),
        Attribute("hat", ("no", "yes")),
        Attribute("tone", ("cold", "none", "warm")),
        Attribute("bit", ("no", "yes")),
    )
    assert targets["attributes"].tolist() == [[2, 0, 2, 1], [7.5, 1, 0, 0], [3, 1, 1, 0]]
    assert targets["text"] == [("a cat", "one cat"), ("a dog",), ("",)]
    assert [targets["classes"][k] for k in targets["label"]] == ["cat", "dog", "dog"]


def test_columns_that_can_be_no_attribute_are_named(tmp_path, capfd):
    rows = [{"file_name": f"{k}.png", "same": 3, "7": k, "box": [k], "id": f"x{k}"} for k in range(70)]
    assert "attribute_fields" not in load(split_folders(tmp_path, rows)).targets
    err = capfd.readouterr().err
    assert "column 'same': it says the same of every picture; left out" in err
    assert "column '7': an attribute's name begins with a letter" in err
    assert "column 'box': lists and objects are no attribute" in err
    assert "column 'id': 70 different texts, an attribute has at most 64" in err


def test_numbers_that_float32_can_not_hold_or_tell_apart(tmp_path, capfd):
    rows = [{"file_name": f"{k}.png", "when": 1.7e9 + k, "serial": 1e9 + 10 * k, "size": k,
             "tiny": k * 1e-300, "huge": k * 1e300} for k in range(5)]  # fmt: skip
    fields = load(split_folders(tmp_path, rows)).targets["attribute_fields"]
    assert fields == (Attribute("size", low=0.0, high=4.0),
                      Attribute("huge", ("0.0", *(f"{k * 1e300}" for k in range(1, 5)))))  # fmt: skip
    err = capfd.readouterr().err
    for name in ("when", "serial", "tiny"):
        why = "its numbers are the same, or too close for their size: subtract what they share"
        assert f"column {name!r}: {why}; left out" in err


def test_a_csv_with_spaces_behind_its_commas(tmp_path):
    for k in range(3):
        picture(tmp_path / "train" / f"{k}.png")
    picture(tmp_path / "test" / "0.png")
    rows = "".join(f'train/{k}.png, {"xy"[k % 2]}, "red, or blue"\n' for k in range(3))
    (tmp_path / "metadata.csv").write_text("file_name , label, text\ntest/0.png, x, a\n" + rows)
    targets = load(tmp_path).targets
    assert (targets["classes"], targets["text"]) == (("x", "y"), [("red, or blue",)] * 3)
    assert "attribute_fields" not in targets


def test_one_csv_for_both_splits(tmp_path):
    for name in ("train/a.png", "train/b.png", "test/c.png"):
        picture(tmp_path / name)
    lines = ["file_name,text,wet", 'train/a.png,"a, b",true', "train/b.png,b,false", "test/c.png,c,true"]
    (tmp_path / "metadata.csv").write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    data, test = load(tmp_path), load(tmp_path, "test")
    assert data.targets["text"] == [("a, b",), ("b",)]
    assert test.targets["attributes"].tolist() == [[1.0]]
    assert "label" not in data.targets


def test_rows_that_can_not_be_used_are_named(tmp_path, capfd):
    rows = [{"file_name": f"{k}.png", "size": k, "label": "x"} for k in range(40)]
    table(tmp_path / "in", rows)
    picture(tmp_path / "outside.png")
    picture(tmp_path / "in" / "unnamed.png")
    extra = [
        {"file_name": "gone.png", "size": 1, "label": "x"},
        {"file_name": "../outside.png", "size": 1, "label": "x"},
        {"file_name": str(tmp_path / "outside.png"), "size": 1, "label": "x"},
        {"file_name": "3.png", "size": 1, "label": "x"},
        {"file_name": "\0.png", "size": 1, "label": "x"},
        {"file_name": "", "size": 1},
        {"size": 1},
    ]
    rows[0]["size"], rows[1]["label"] = None, ""
    lines = [json.dumps(row) for row in rows + extra]
    (tmp_path / "in" / "metadata.jsonl").write_text("\n".join(lines))
    count, _ = both(tmp_path / "in")
    assert count == 38
    err = capfd.readouterr().err
    for line in (
        "line 41: file_name 'gone.png' is no picture that is there",
        "line 42: file_name '../outside.png' points outside the folder",
        "outside.png' points outside the folder",
        "line 44: file_name '3.png' has a row already",
        "line 45: file_name '\\x00.png' is no picture that is there",
        "line 46: file_name '' is no picture",
        "line 47: file_name '' is no picture",
        "metadata.jsonl: 1 pictures have no row, such as unnamed.png",
        "0.png: no size; left out",
        "1.png: no label; left out",
    ):
        assert line in err, line


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("metadata.csv", "path,label\na.png,x\n", r"has no column file_name; it has: label, path"),
        ("metadata.jsonl", '{"file_name": "a.png"}\n{', r"metadata.jsonl: line 2 is no JSON"),
        ("metadata.jsonl", "[1]", r"line 1 must be a JSON object"),
        ("metadata.jsonl", "", r"metadata.jsonl has no rows"),
        ("metadata.csv", "file_name,label\n", r"metadata.csv has no rows"),
        ("metadata.csv", "file_name,Label,label\na.png,1,2", "metadata.csv: two columns are called 'label'"),
        (
            "metadata.jsonl",
            '{"text": "a", "Text": "b"}',
            r"line 1 has two columns that differ only in capitals",
        ),
        ("metadata.csv", b"file_name\n\xff\xfe", r"metadata.csv: .*utf-8"),
        ("metadata.csv", "file_name,a b,A-b\na.png,1,2\nb.png,2,1", "two columns have the name 'a_b'"),
        ("metadata.csv", "file_name,label,label\na.png,1,2", "metadata.csv: two columns are called 'label'"),
        ("metadata.csv", 'file_name,text\na.png,"' + "x" * 200_000, r"metadata.csv: field larger"),
    ],
)
def test_tables_that_are_wrong(tmp_path, name, text, message):
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=message) as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_a_table_from_windows_with_capitals(tmp_path, name):
    rows = [{"File_Name": f"a\\{k}.png", "Label": "xy"[k % 2], "TEXT": "red"} for k in range(20)]
    for k in range(20):
        picture(tmp_path / f"a/{k}.png")
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    lines = lines if name.endswith("csv") else [json.dumps(row) for row in rows]
    (tmp_path / name).write_text("\n".join(lines))
    count, targets = both(tmp_path)
    assert (count, targets["classes"], targets["text"][0]) == (20, ("x", "y"), ("red",))
    assert "attributes" not in targets


def test_two_tables_and_a_row_too_long(tmp_path, capfd):
    rows = [{"file_name": f"{k}.png"} for k in range(30)]
    (table(tmp_path, rows) / "metadata.jsonl").unlink()
    csv = ["file_name,text", "0.png,red, or blue", *(f"{k}.png,plain" for k in range(1, 30))]
    (tmp_path / "metadata.csv").write_text("\n".join(csv))
    assert both(tmp_path)[0] == 29
    assert "metadata.csv line 2: more cells than columns" in capfd.readouterr().err
    table(tmp_path, rows)
    with pytest.raises(ValueError, match=r"both describe the pictures: keep one"):
        load(tmp_path)


def paired(root: Path, count: int = 30, size: tuple[int, int] = (24, 16)) -> Path:
    """Pictures whose left half is black, with masks (0 left, 2 right, 255 at the right edge), drawings."""
    ids = np.zeros(size[::-1], np.uint8)
    ids[:, size[0] // 2 :], ids[:, -5:] = 2, 255
    for name in ("images", "masks", "conditions"):
        (root / name).mkdir(parents=True)
    for k in range(count):
        Image.fromarray(np.where(ids, 255, 0).astype(np.uint8)).convert("RGB").save(root / f"images/{k}.jpg")
        Image.fromarray(ids).save(root / f"masks/{k}.png")
        Image.fromarray(255 - ids // 2).save(root / f"conditions/{k}.png")
    return root


def test_masks_and_condition_pictures_lie_over_the_pictures(tmp_path):
    data = load(paired(tmp_path), size=16)
    assert data.targets["mask"].shape == (len(data), 16, 16)
    assert data.targets["mask"][0, 0].tolist() == [0] * 8 + [2] * 7 + [255]
    assert data.targets["mask_classes"] == ("class 0", "class 1", "class 2")
    assert len(set(data.targets["mask_colours"])) == 3
    assert data.targets["image"].shape == (len(data), 1, 16, 16)
    inside = data.targets["mask"] == 2
    assert (data.images[:, 0][inside] > 200).float().mean() > 0.9
    assert "label" not in data.targets


def test_masks_with_names_palettes_and_labels(tmp_path):
    root = paired(tmp_path)
    for k in range(30):
        mask = Image.open(root / f"masks/{k}.png").convert("P")
        mask.putpalette([1, 2, 3, 4, 5, 6, 7, 8, 9] + [0] * 759)
        mask.save(root / f"masks/{k}.png")
        picture(root / f"conditions/{k}.png", (1, 2, 3), (24, 16))
    (root / "metadata.csv").write_text(
        "file_name,label\n" + "".join(f"images/{k}.jpg,{'xy'[k % 2]}\n" for k in range(30))
    )
    targets = load(root).targets
    assert targets["mask_colours"] == ("#010203", "#040506", "#070809")
    assert targets["classes"] == ("x", "y")
    assert targets["image"].shape[1] == 3
    (root / "classes.txt").write_text("ground #aabbcc\nlow wall\n\nsky  #DDEEFF\nextra\n")
    targets = load(root).targets
    assert targets["mask_classes"] == ("ground", "low wall", "sky", "extra")
    assert targets["mask_colours"][:3] == ("#aabbcc", "#040506", "#DDEEFF")
    (root / "classes.txt").write_text("ground\nsky\n")
    with pytest.raises(ValueError, match=r"classes.txt names 2 classes, the masks hold ids up to 2"):
        load(root)
    (root / "classes.txt").write_bytes(b"caf\xe9")
    with pytest.raises(ValueError, match=r"classes.txt: .*utf-8"):
        load(root)


def test_masks_of_black_and_white_are_told_of_the_second_class(tmp_path):
    for k in range(20):
        picture(tmp_path / f"images/{k}.png")
        picture(tmp_path / f"masks/{k}.png", 255 * (k % 2), mode="L")
    with pytest.raises(ValueError, match=r"one class \(0\) beside 255, .* write 1 for the second"):
        load(tmp_path)


def test_pairs_in_split_and_class_folders(tmp_path):
    for split, count in (("train", 4), ("test", 2)):
        paired(tmp_path / split / "all", count)
        for name in ("images", "masks", "conditions"):
            (tmp_path / split / name).mkdir()
            (tmp_path / split / "all" / name).rename(tmp_path / split / name / "cat")
        (tmp_path / split / "all").rmdir()
    for split, count in (("train", 4), ("test", 2)):
        targets = load(tmp_path, split).targets
        assert (targets["classes"], len(targets["mask"]), len(targets["image"])) == (("cat",), count, count)


def test_pairs_that_do_not_fit_are_named(tmp_path, capfd):
    root = paired(tmp_path, 40)
    (root / "masks/3.png").unlink()
    (root / "conditions/4.png").unlink()
    picture(root / "masks/5.png", "red", (24, 16))
    picture(root / "masks/6.png", 1, (16, 24), "L")
    (root / "conditions/7.png").write_bytes(b"")
    assert both(root)[0] == 35
    err = capfd.readouterr().err
    assert "images/3.jpg: no mask; left out" in err
    assert "images/4.jpg: no condition; left out" in err
    assert "images/5.jpg: a mask has one channel of 8 bits, grey or palette; this one is RGB" in err
    assert "images/6.jpg: masks/6.png has another shape than the picture" in err
    assert "images/7.jpg: empty, or no picture" in err


def test_masks_without_a_picture_are_counted(tmp_path, capfd):
    root = paired(tmp_path, 40)
    load(root)
    assert capfd.readouterr().err == ""
    for k in range(40):
        (root / f"masks/{k}.png").rename(root / f"masks/{k}_mask.png")
    assert "mask" not in load(root).targets
    assert capfd.readouterr().err == "masks: 40 have no picture of the same name, such as 0_mask.png\n"


@pytest.mark.parametrize(
    ("mode", "colour", "suffix", "expected"),
    [
        ("RGB", (10, 20, 30), "png", (10, 20, 30)),
        ("RGB", (10, 20, 30), "webp", (10, 20, 30)),
        ("L", 7, "png", (7, 7, 7)),
        ("1", 1, "png", (255, 255, 255)),
        ("RGBA", (0, 0, 0, 0), "png", (255, 255, 255)),
        ("RGBA", (255, 0, 0, 128), "png", (255, 127, 127)),
        ("LA", (0, 0), "png", (255, 255, 255)),
        ("P", 0, "png", (0, 0, 0)),
        ("I;16", 40_000, "png", (156, 156, 156)),
        ("I;16", 40_000, "tif", (156, 156, 156)),
        ("F", 0.5, "tif", (128, 128, 128)),
        ("CMYK", (0, 255, 255, 0), "jpg", (254, 0, 0)),
    ],
)
def test_any_mode(tmp_path, mode, colour, suffix, expected):
    path = picture(tmp_path / f"a.{suffix}", colour, (40, 30), mode)
    pixels = files.read_picture(path, 8, 3)
    assert pixels.shape == (3, 8, 8)
    assert np.abs(pixels.astype(int) - np.array(expected)[:, None, None]).max() <= 3
    assert files.read_picture(path, 8, 1).shape == (1, 8, 8)


def test_upright_cropped_and_without_aliasing(tmp_path):
    stripes = np.zeros((64, 96), np.uint8)
    stripes[:, ::2] = 255
    stripes[:, :8] = 0
    picture = Image.fromarray(stripes)
    exif = picture.getexif()
    exif[0x0112] = 6  # turn by 90 degrees to the right to be upright
    picture.save(tmp_path / "a.jpg", exif=exif, quality=100)
    pixels = files.read_picture(tmp_path / "a.jpg", 8, 1)[0]
    assert abs(int(pixels.mean()) - 127) < 4, "stripes too fine to be seen are grey"
    stripes[:, :40] = 0
    Image.fromarray(stripes).save(tmp_path / "b.png", exif=exif)
    pixels = files.read_picture(tmp_path / "b.png", 8, 1)[0]
    assert pixels[:2].max() < 10, "what was left is on top"
    assert pixels[4:].min() > 100


@pytest.mark.parametrize("orientation", [2, 3, 6])
def test_a_mask_is_turned_upright_as_its_picture_is(tmp_path, orientation):
    ids, exif = np.zeros((16, 16), np.uint8), Image.Exif()
    ids[:, 8:], exif[0x0112] = 1, orientation
    for name, pixels in (("picture", 200 * ids), ("mask", ids)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png", exif=exif)
    pixels = files.read_picture(tmp_path / "picture.png", 16, 1)[0]
    assert ((pixels > 100) == files.read_map(tmp_path / "mask.png", 16)).all()


def test_what_can_not_be_read_is_named_and_left_out(classes, monkeypatch, capfd):
    (classes / "apple" / "empty.png").write_bytes(b"")
    (classes / "apple" / "text.jpg").write_bytes(b"not a picture")
    whole = (classes / "apple" / "0.png").read_bytes()
    (classes / "apple" / "cut\n.png").write_bytes(whole[: len(whole) // 2])
    picture(classes / "pear" / "bomb.png", 0, (200, 200), "1")
    picture(classes / "loose.png")
    (classes / "apple" / ".hidden.png").write_bytes(b"")
    (classes / "apple" / "notes.txt").write_bytes(b"")
    (classes / "apple" / "link.png").symlink_to("/etc/hostname")
    (classes / "apple" / "again.png").symlink_to(classes / "pear" / "1.png")
    (classes / "apple" / "circle.png").symlink_to("circle.png")
    (classes / "linked").symlink_to(classes / "apple")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30_000)
    assert both(classes)[0] == 61, "all that are whole, and the link that stays in the folder"
    err = capfd.readouterr().err
    for line in (
        "apple/empty.png: empty, or no picture; left out",
        "apple/text.jpg: empty, or no picture; left out",
        "apple/cut\N{REPLACEMENT CHARACTER}.png: ",
        "pear/bomb.png: more than 30,000 pixels; left out",
        "loose.png: it lies in no class folder; left out",
        "apple/link.png: points outside the folder; left out",
        "apple/circle.png: Too many levels of symbolic links; left out",
        "linked: a linked folder is not followed; left out",
    ):
        assert line in err, line
    assert ".hidden" not in err
    assert "notes" not in err


@pytest.mark.parametrize("name", ["images", "masks", "conditions"])
def test_a_link_in_the_place_of_a_paired_folder_is_refused(tmp_path, name):
    """Without it the layout would be another: masks would be pictures."""
    root = paired(tmp_path / "in")
    (root / name).rename(tmp_path / "elsewhere")
    (root / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=f"{name} points outside the folder"):
        load(root)


@pytest.mark.parametrize("name", ["train", "test"])
def test_a_link_in_the_place_of_a_split_is_refused(tmp_path, name):
    picture(tmp_path / "elsewhere" / "dog" / "0.png")
    other = "train" if name == "test" else "test"
    for k in range(20):
        picture(tmp_path / "in" / other / "cat" / f"{k}.png")
    (tmp_path / "in" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=f"{name} points outside the folder"):
        load(tmp_path / "in")


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "classes.txt"])
def test_a_text_file_that_is_a_link_out_of_the_folder_is_refused(tmp_path, name):
    """Its lines would become names of classes, which are published."""
    root, rows = paired(tmp_path / "in"), [{"file_name": f"images/{k}.jpg"} for k in range(30)]
    texts = {
        "metadata.csv": "file_name\n" + "\n".join(row["file_name"] for row in rows),
        "metadata.jsonl": "\n".join(map(json.dumps, rows)),
        "classes.txt": "a\nb\nc",
    }
    (tmp_path / "secret").write_text(texts[name])
    (root / name).symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match=rf"^{root / name} points outside the folder$"):
        load(root)
    (root / name).unlink()
    (root / "own").write_text(texts[name])
    (root / name).symlink_to("own")
    assert "mask" in load(root).targets, "a link within the folder"


def test_a_folder_that_can_not_be_read_is_named(classes, monkeypatch, capfd):
    picture(classes / "closed" / "0.png")
    scan = os.scandir

    def refused(path):
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert load(classes).targets["classes"] == ("apple", "pear")
    assert "closed: Permission denied; left out" in capfd.readouterr().err


def test_many_faults_are_counted(tmp_path, capfd):
    for k in range(50):
        picture(tmp_path / "train" / "a" / f"{k}.png").write_bytes(b"")
    picture(tmp_path / "train" / "a" / "good.png")
    picture(tmp_path / "test" / "a" / "good.png")
    assert len(load(tmp_path)) == 1
    err = capfd.readouterr().err
    assert err.count("empty, or no picture") == files.SHOWN
    assert f"and {50 - files.SHOWN} more left out" in err


def test_nothing_to_read(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: --data-root must be"):
        load(tmp_path / "nowhere")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(FileNotFoundError, match=r"no folder .*circle"):
        load(tmp_path / "circle")
    (tmp_path / "circle").unlink()
    with pytest.raises(ValueError, match=r"holds no picture for the train split"):
        load(tmp_path)
    (picture(tmp_path / "a" / "1.png")).write_bytes(b"")
    with pytest.raises(ValueError, match=r"holds no picture for the train split"):
        load(tmp_path)


@pytest.mark.parametrize("options", [{"size": 7}, {"size": 513}, {"channels": 2}])
def test_options_are_checked(options):
    with pytest.raises(
        ValueError, match=r"dataset.size must be from 8 to 512 pixels and dataset.channels 1 or 3"
    ):
        Folder(**options)


def command(root: Path, out: Path, *more: str) -> list[str]:
    words = [
        "--preset",
        "mnist",
        "--data",
        "folder",
        "--data-root",
        str(root),
        "--out",
        str(out),
        *TINY,
        *more,
    ]
    return [*words, "--training.kimg", "0.064", "--training.batch", "16", "--generator.noise_dim", "4"]


def test_a_folder_trains_from_the_command_line_and_says_how_to_get_figures(classes, tmp_path, capsys):
    out = tmp_path / "out"
    assert train.main(command(classes, out)) == 0
    err = capsys.readouterr().err
    few = f"figures need at least 97 real pictures to test with, there are {len(load(classes, 'test'))}"
    assert err.count(f"train.py: sample grids but no figures: {few}\n") == 1
    model = ConditionalGAN.load(out)
    assert model.encoder.fields()[0].choices == ("apple", "pear")
    assert str(classes) not in (out / "config.json").read_text() + (out / "metrics.json").read_text()
    assert files.header(out / "samples.png")[0] == "P"
    figures = [
        "evaluate",
        "--model",
        str(out),
        "--data-root",
        str(classes),
        "--json",
        str(tmp_path / "x.json"),
    ]
    assert cgan(figures) == 2
    assert capsys.readouterr().err == f"python -m cgan evaluate: {few}\n"
    picture(classes / "plum" / "0.png")
    picture(classes / "plum" / "1.png")
    assert train.main(command(classes, out)) == 1
    assert "holds a run on data with other classes" in capsys.readouterr().err


@pytest.mark.parametrize("rank", ["RANK", "PMI_RANK"])
def test_of_several_processes_the_first_one_speaks(classes, tmp_path, capsys, monkeypatch, rank):
    """That the others print the same lines is of no use to anyone."""
    (classes / "apple" / "broken.png").write_text("no picture")
    (classes / "odd.png").write_text("in no class folder")
    said = []
    for number in ("0", "1"):
        monkeypatch.setenv(rank, number)
        files.Notes()("a", "left out")
        many = files.Notes()
        many.count = files.SHOWN + 1
        many.close()
        assert train.main(command(classes, tmp_path / number)) == 0
        said.append([line for line in capsys.readouterr().err.splitlines() if line and "img/s" not in line])
    first = ["a", "... and 1 more left out", "odd.png", "apple/broken.png"]
    told = ["left out, as told above", "--condition label", "train.py"]
    names = [line.partition(":")[0] for line in said[0]]
    assert (names[:4], names[6:]) == (first, told)
    assert said[1] == []


def test_new_pictures_resume_a_run(tmp_path):
    root, out = paired(tmp_path / "in"), tmp_path / "out"
    more = ["--condition", "mask", "--regularizers.auxiliary.weight", "0", "--training.evaluate_kimg", "0"]
    assert train.main(command(root, out, *more)) == 0
    for name in ("images", "masks", "conditions"):
        for old in sorted((root / name).iterdir())[:12]:
            new = old.with_name(f"!{old.name}")
            Image.open(old).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(new)
    before = (out / "config.json").read_text()
    assert train.main(command(root, out, *more)) == 0
    assert (out / "config.json").read_text() != before, "its examples are the first pictures, the new ones"


def test_a_run_keeps_its_ranges_when_new_pictures_pass_them(tmp_path, capsys, monkeypatch):
    root, out, rows = tmp_path / "in", tmp_path / "out", ["file_name,width,fruit"]
    more = ["--condition", "attributes", "--training.evaluate_kimg", "0"]

    def train_on(first: int, last: int, width: float) -> list[dict]:
        for k in range(first, last):
            picture(root / f"{k}.png")
            rows.append(f"{k}.png,{k % 7 * width},{'ab'[k % 2]}")
        (root / "metadata.csv").write_text("\n".join(rows))
        assert train.main(command(root, out, *more)) == 0
        return json.loads((out / "config.json").read_text())["model"]["condition"]["attributes"]

    began = train_on(0, 40, 1)
    assert "ranges" not in capsys.readouterr().err
    assert train_on(40, 60, 10) == began
    said = "goes on with the ranges it began with (width from 0 to 6); numbers beyond count as the ends"
    assert said in capsys.readouterr().err
    with monkeypatch.context() as second:
        second.setattr(PartialState, "is_main_process", False)
        train_on(60, 60, 1)
    assert "ranges" not in capsys.readouterr().err, "the main process has said it"
    rows[1] = "0.png,3,c"
    (root / "metadata.csv").write_text("\n".join(rows))
    assert train.main(command(root, out, *more)) == 1
    assert "holds a run on data with other classes, attributes" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["attributes", "text", "mask", "image"])
def test_every_form_trains_on_a_folder(tmp_path, form):
    root, columns = paired(tmp_path / "in"), ["file_name,text,width"]
    columns += [f"images/{k}.jpg,{'a wide' if k % 2 else 'a narrow'} one,{k % 7}" for k in range(30)]
    (root / "metadata.csv").write_text("\n".join(columns))
    more = ["--condition", form, "--regularizers.auxiliary.weight", "0", "--training.evaluate_kimg", "0"]
    assert train.main(command(root, tmp_path / "out", *more)) == 0
    assert ConditionalGAN.load(tmp_path / "out").encoder.form == form


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--condition", "text"], "the data set has no column 'text'; --condition may ask for: label"),
        (["--dataset.size", "4"], "dataset.size must be from 8 to 512"),
    ],
)
def test_bad_commands_get_one_line(classes, tmp_path, capsys, argv, message):
    assert train.main(command(classes, tmp_path / "out", *argv)) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_a_dry_run_with_and_without_the_pictures(classes, capsys):
    start = ["--preset", "mnist", "--dataset", "folder", *TINY, "--dry-run"]
    assert train.main(start) == 0
    assert capsys.readouterr().out.endswith(
        "}\nthe networks' sizes follow from the data: add --data-root DATA\n"
    )
    (classes / "apple" / "broken.png").write_text("no picture")
    assert train.main([*start, "--data-root", str(classes)]) == 0
    out, err = capsys.readouterr()
    assert "generator: " in out
    assert '"classes"' not in out, "those of the data, which are told by name"
    counts = load(classes).targets["label"].bincount().tolist()
    capsys.readouterr()
    assert err.splitlines() == [
        "apple/broken.png: empty, or no picture; left out",
        f"{sum(counts)} pictures to train on, 8x8 in colour",
        f"found class folders; {60 - sum(counts)} more files are kept for testing",
        "left out, as told above: 1",
        f"--condition label: apple {counts[0]}, pear {counts[1]}",
    ]


def test_what_a_folder_was_understood_as_is_told(tmp_path):
    root, columns = paired(tmp_path / "in"), ["file_name,text,width,colour"]
    columns += [f"images/{k}.jpg,一个{'大' if k % 2 else '小'}的圆,{k % 7},{'ab'[k % 2]}" for k in range(30)]
    (root / "metadata.csv").write_text("\n".join(columns), encoding="utf-8")
    data = load(root)
    odd = int(data.targets["attributes"][:, 1].sum())
    lines = summary(data)
    assert lines[1].startswith("found a table and pictures beside masks and pictures beside conditions; ")
    assert lines[2:5] == [
        "nothing was left out",
        f"--condition attributes: width (0 to 6), colour (a {len(data) - odd}, b {odd})",
        "--condition text: 6 different words or signs, at most 5 in a caption, such as '一个小的圆'",
    ]
    assert lines[5].startswith("--condition mask: class 0 ")
    assert lines[6].startswith("--condition image: pictures in ")
    many = {"classes": tuple("abcdefghijk"), "label": torch.arange(11)}
    assert summary(Images(data.images, many))[1].endswith(" g 1, h 1, 3 more")


def test_a_judge_lies_beside_its_pictures(tmp_path, capsys, monkeypatch):
    for split, count in (("train", 64), ("test", 60)):
        for k in range(2 * count):
            picture(tmp_path / split / "ab"[k % 2] / f"{k}.png", (255 * (k % 2), k, 0))
    (tmp_path / "train" / "a" / "broken.png").write_text("no picture")
    words = ["train", "--dataset", "folder", "--data-root", str(tmp_path), "--epochs", "1", "--size", "8"]
    out = tmp_path.parent / f"{tmp_path.name}-out"
    assert train.main(command(tmp_path, out.with_name("before"))) == 0
    assert "no figures: no feature network for data set 'folder'" in (err := capsys.readouterr().err)
    assert "make one with: python -m cgan.metrics.features train --dataset folder --data-root DIR" in err
    assert features(words) == 0
    judge = (tmp_path / "folder.safetensors").read_bytes()
    capsys.readouterr()
    read = []
    monkeypatch.setattr(
        "cgan.data.folder.read_files", lambda own, *more: read.append(len(own)) or read_files(own, *more)
    )
    assert train.main(command(tmp_path, out)) == 0
    err = capsys.readouterr().err
    assert "no figures" not in err
    assert err.count("broken.png") == 1
    assert read == [129, 120], "each picture once"
    assert features(words) == 2
    assert "folder.safetensors judges these pictures already" in capsys.readouterr().err
    assert (tmp_path / "folder.safetensors").read_bytes() == judge
    assert features([*words, "--out", str(tmp_path / "folder.safetensors")]) == 0
    assert {"obedience", "frechet"} <= set(json.loads((out / "metrics.json").read_text())["curve"][-1])
    assert train.main(command(tmp_path, out.with_name("other"), "--dataset.channels", "1")) == 0
    err = capsys.readouterr().err
    assert "no figures: the folder feature network was trained on" in err
    assert "on pictures with 8x8x3 pixels, these are with 8x8x1 pixels: train it on these, with: " in err
    assert "--dataset folder --data-root DIR --size 8 --channels 1\n" in err
    assert features([*words, "--channels", "1"]) == 0
    assert train.main(command(tmp_path, out.with_name("grey"), "--dataset.channels", "1")) == 0
    assert "no figures" not in capsys.readouterr().err
    assert features(["train", "--dataset", "mnist", "--data-root", "x", "--channels", "3"]) == 2
    assert "data set mnist has no choice of --channels" in capsys.readouterr().err


def test_a_judge_needs_something_to_read(tmp_path, capsys):
    for k in range(30):
        picture(tmp_path / f"{k}.png")
    assert features(["train", "--dataset", "folder", "--data-root", str(tmp_path)]) == 2
    assert "data set folder has nothing that a judge could tell apart" in capsys.readouterr().err


def test_a_folder_of_one_class_trains_without_a_judge(tmp_path, capsys):
    for k in range(30):
        picture(tmp_path / "in" / "apple" / f"{k}.png")
    assert features(["train", "--dataset", "folder", "--data-root", str(tmp_path / "in")]) == 2
    assert "nothing that a judge could tell apart: neither two labels" in capsys.readouterr().err
    assert train.main(command(tmp_path / "in", tmp_path / "out")) == 0
    assert "no figures: data set folder has nothing that a judge could tell" in capsys.readouterr().err
    assert ConditionalGAN.load(tmp_path / "out").encoder.fields()[0].choices == ("apple",)


def test_captions_of_a_folder_have_no_judge(tmp_path, capsys):
    table(tmp_path / "in", [{"file_name": f"{k}.png", "text": "ab"[k % 2], "n": k} for k in range(30)])
    assert train.main(command(tmp_path / "in", tmp_path / "out", "--condition", "text")) == 0
    said = "no figures: a judge could read 1 attributes off these pictures, but not whether condition text is"
    assert said in capsys.readouterr().err


def test_a_judge_of_too_few_pictures_is_told_before_it_is_trained(classes, capsys):
    words = ["train", "--dataset", "folder", "--data-root", str(classes), "--epochs", "1", "--size", "8"]
    assert features(words) == 2
    assert "figures need at least 97 real pictures to test with, there are" in capsys.readouterr().err
    assert features([*words, "--out", str(classes)]) == 2
    assert capsys.readouterr().err.endswith(
        f"--out must be a file that can be written, got {str(classes)!r}\n"
    )


def test_maps_alone_have_a_judge(tmp_path):
    for split in ("train", "test"):
        for k in range(164):
            picture(tmp_path / split / "images" / f"{k}.png", "blue")
            picture(tmp_path / split / "masks" / f"{k}.png", k % 2, mode="L")
    words = ["train", "--dataset", "folder", "--data-root", str(tmp_path), "--epochs", "1", "--size", "8"]
    assert features(words) == 0
    assert FeatureNetwork.load("folder", tmp_path).info.measured.keys() == {"mask"}
