"""Models travel to the Hub and back over real HTTP, whole or not at all, and every failure is one line."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import HfApi, ModelCard
from huggingface_hub.utils import logging
from PIL import Image

from cgan import hub as hub_module
from cgan import timeline
from cgan.card import _accepts, write_card
from cgan.conditions import Caption, Paint, Range
from cgan.hub import HubError, HubUnreachable, fetch, parse, push
from cgan.model import (
    CARD,
    CONFIG,
    DISCRIMINATOR,
    FOLDER_FILES,
    METRICS,
    SAMPLES,
    TIMELINE,
    WEIGHTS,
    ConditionalGAN,
    ModelError,
    write_json,
)
from tests.conftest import tiny_model
from tests.hub_server import READ, WRITE, Hub, serve

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the client's LFS upload
REPO, ROOT = "ada/digits", str(Path(__file__).parents[1])
SUMMARY = {"mean": 0.9964, "std": 0.0004, "values": [0.996, 0.9968]}
EVALUATION = {
    "features": {"name": "cgan-mnist", "judge_accuracy": 0.997},
    "count": 10000,
    "generated": {
        "obedience": {"accuracy": SUMMARY, "per_class": [0.9]},
        "frechet": {"mean": 1.5, "std": None},
    },
    "real": {"obedience": {"accuracy": 0.997, "per_class": [1.0] * 3}, "frechet": 0.75},
    "usefulness": {"generated": {"mean": 0.97, "std": 0.01}, "real": 0.98, "count": 5},
}
TRAINING = {"command": "python train.py --preset mnist", "commit": "abc1234", "kimg": 2400.0, "minutes": 61.5}


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch, tmp_path):
    """No Xet, whose storage can't be stood in for, and neither token nor cache of this machine's."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    logging.set_verbosity_error()
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serve() as server:
        yield server


def api(hub: Hub, token: str | bool = WRITE) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=token)


def save(folder: Path, scale: float = 1.0, whole: bool = True) -> ConditionalGAN:
    """A model folder whose weights depend on `scale`, with every optional file if `whole`."""
    model = tiny_model()
    model.generator.stem.weight.mul_(scale)
    model.save(folder)
    if whole:
        timeline.write(folder, [(k, timeline.compress(model.sampler_state())) for k in (0.0, 1.0)])
        write_json(folder / METRICS, {"training": TRAINING, "evaluation": EVALUATION})
        Image.new("L", (16, 16)).save(folder / SAMPLES)
    return model


@pytest.fixture
def folder(tmp_path) -> Path:
    save(tmp_path / "model")
    return tmp_path / "model"


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FOLDER_FILES if (folder / name).exists()}


def failing(kind: type[Exception], message: str, act, *arguments, **options) -> str:
    """The one line with which a call fails."""
    with pytest.raises(kind, match=message) as caught:
        act(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_model_comes_back_bit_for_bit_and_draws_the_same_pictures(hub, folder):
    (folder / "notes.txt").write_text("private")
    url = push(folder, REPO, api=api(hub))
    assert url == f"{hub.endpoint}/{REPO}/tree/{hub.repos[REPO].refs['main']}"
    assert set(hub.repos[REPO].commits[hub.repos[REPO].refs["main"]]) == {*FOLDER_FILES, ".gitattributes"}
    back = fetch(REPO, api=api(hub, token=False))
    assert contents(back) == contents(folder)
    assert {path.name for path in back.iterdir()} == set(FOLDER_FILES)
    one, two = ConditionalGAN.load(folder), ConditionalGAN.load(back)
    assert all(torch.equal(tensor, two.state_dict()[name]) for name, tensor in one.state_dict().items())
    noise, raw = one.noise(5, 12), one.encoder.sample(12, seed=5)
    assert torch.equal(one.sample(noise, raw), two.sample(noise, raw))
    assert len(timeline.Timeline(back)) == 2
    assert not hub.leaks


def test_a_local_folder_is_taken_as_it_is(folder, monkeypatch):
    assert fetch(str(folder)) == folder
    monkeypatch.chdir(folder.parent)
    assert fetch("model") == Path("model")


def test_a_revision_pins_a_model(hub, tmp_path):
    first = save(tmp_path / "first", scale=1)
    second = save(tmp_path / "second", scale=2, whole=False)
    commit = push(tmp_path / "first", REPO, api=api(hub)).rsplit("/", 1)[-1]
    hub.repos[REPO].refs["v1"] = commit
    push(tmp_path / "second", REPO, api=api(hub))
    for spec, expected in ((f"{REPO}@{commit}", first), (f"{REPO}@v1", first), (REPO, second)):
        found = ConditionalGAN.load(fetch(spec, api=api(hub)))
        assert torch.equal(found.generator.stem.weight, expected.generator.stem.weight), spec
    assert not (fetch(REPO, api=api(hub)) / TIMELINE).exists()  # the first model's went with its weights
    asked = len(hub.requests)
    fetch(f"{REPO}@{commit}", api=api(hub))
    assert len(hub.requests) == asked  # a commit never changes


def test_a_second_fetch_downloads_nothing_again_and_sees_what_is_new(hub, folder):
    push(folder, REPO, api=api(hub))
    fetch(REPO, api=api(hub))
    del hub.requests[:]
    fetch(REPO, api=api(hub))
    assert not [request for request in hub.requests if "GET" in request and "/api/" not in request]
    changed = save(folder, scale=4)
    push(folder, REPO, api=api(hub))
    assert torch.equal(
        ConditionalGAN.load(fetch(REPO, api=api(hub))).generator.stem.weight, changed.generator.stem.weight
    )


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "mnist",
        "no/such/folder",
        "/no/such",
        "./digits",
        "ada/digits@",
        "@main",
        "~nobody-of-that-name/digits",
        "d" * 300,
        "ada/dig its",
        "ada/..",
        "-a/b",
    ]
    + [
        "a/b@../../x",
        "https://hub/ada/digits",
        "ada/digits@main@v1",
        "ada/digits\n",
        "ada--b/digits",
        "a/b.git",
    ],
)
def test_a_malformed_name_is_refused_without_a_request(hub, spec):
    failing(HubError, "no such folder; a model is a folder, or USER/NAME", fetch, spec, api=api(hub))
    assert not hub.requests


def test_a_name_may_have_a_branch_with_a_slash():
    assert parse("ada/digits@refs/pr/1") == ("ada/digits", "refs/pr/1")
    assert parse("ada/digits") == ("ada/digits", None)


def test_missing_private_and_gated_repositories(hub, folder):
    files = contents(folder)
    hub.put("ada/hidden", files, private=True)
    hub.put("ada/gated", files, gated=True)
    for token in (False, READ):
        line = failing(HubError, "no such folder, nor http", fetch, "ada/nothing", api=api(hub, token))
        assert f"{hub.endpoint}/ada/nothing" in line
        line = failing(HubError, "accept its terms", fetch, "ada/gated", api=api(hub, token))
        assert f"{hub.endpoint}/ada/gated" in line
        assert "HF_TOKEN" in line
    failing(HubError, "if it is private, set HF_TOKEN", fetch, "ada/hidden", api=api(hub, token=False))
    for name in ("ada/hidden", "ada/gated"):
        assert contents(fetch(name, api=api(hub))) == files
    assert not hub.leaks


def test_a_missing_revision(hub, folder):
    hub.put(REPO, contents(folder))
    failing(HubError, "no such revision", fetch, f"{REPO}@v9", api=api(hub))
    failing(HubError, "no such revision", fetch, f"{REPO}@{'0' * 40}", api=api(hub))


def test_pickles_and_other_files_are_never_fetched(hub, folder):
    bomb = pickle.dumps(print)
    others = {"pytorch_model.bin": bomb, "model.pkl": bomb, "run.py": b"boom", "sub/config.json": b"{}"}
    hub.put("ada/both", {**contents(folder), **others})
    assert set(contents(fetch("ada/both", api=api(hub)))) == set(contents(folder))
    assert not [request for request in hub.requests for name in others if request.endswith(name)]
    found = fetch("ada/both", api=api(hub))
    assert {path.name for path in found.rglob("*")} == set(contents(folder))
    hub.put("ada/pickled", {CONFIG: (folder / CONFIG).read_bytes(), **others})
    line = failing(
        HubError, "pytorch_model.bin is a pickle, which is never read", fetch, "ada/pickled", api=api(hub)
    )
    assert f"{WEIGHTS}, {DISCRIMINATOR} is not there" in line
    hub.put("ada/notes", {CARD: b"hello"})
    failing(HubError, "no model of this program", fetch, "ada/notes", api=api(hub))


@pytest.mark.parametrize(("name", "size"), [(WEIGHTS, 2**40), (CONFIG, 5 * 2**20), (SAMPLES, 5 * 2**20)])
def test_oversized_files_are_refused_before_the_download(hub, folder, name, size):
    hub.put(REPO, contents(folder))
    hub.claimed_sizes[name] = size
    failing(HubError, f"{name} has {size} bytes, more than the", fetch, REPO, api=api(hub))
    assert not [request for request in hub.requests if "/resolve/" in request]


def test_a_damaged_model_arrives_and_is_refused_by_the_loader(hub, folder):
    hub.put(REPO, {**contents(folder), WEIGHTS: pickle.dumps(print)})
    failing(ModelError, "not a whole safetensors file", ConditionalGAN.load, fetch(REPO, api=api(hub)))


def test_a_server_that_is_down(hub, folder):
    nowhere = HfApi(endpoint="http://127.0.0.1:9", token=WRITE)  # the discard port: nobody listens
    failing(HubUnreachable, "can't be reached.*no copy of it is kept here", fetch, REPO, api=nowhere)
    failing(HubUnreachable, "can't be reached", push, folder, REPO, api=nowhere)
    push(folder, REPO, api=api(hub))
    kept = fetch(REPO, api=api(hub))
    assert fetch(REPO, api=nowhere) == kept
    failing(HubUnreachable, "no copy", fetch, f"{REPO}@v2", api=nowhere)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_out_of_order(hub, folder, status):
    hub.broken = status
    began = time.monotonic()
    failing(HubUnreachable, rf"out of order \({status}\).*no copy", fetch, REPO, api=api(hub), patience=2)
    assert time.monotonic() - began < 4


def test_a_server_that_breaks_half_way_leaves_the_last_whole_copy(hub, folder):
    push(folder, REPO, api=api(hub))
    kept = fetch(REPO, api=api(hub))
    save(folder, scale=2)
    push(folder, REPO, api=api(hub))
    hub.broken, hub.broken_at = 503, "/storage/"
    assert fetch(REPO, api=api(hub), patience=3) == kept
    hub.broken_at = "/"
    assert fetch(REPO, api=api(hub), patience=3) == kept
    hub.broken = 0
    assert contents(fetch(REPO, api=api(hub))) == contents(folder)


def test_a_slow_server_is_given_up_in_time_and_the_copy_used(hub, folder):
    push(folder, REPO, api=api(hub))
    hub.delay = 60
    began = time.monotonic()
    failing(HubUnreachable, "no copy of it is kept here", fetch, REPO, api=api(hub), patience=0.5)
    failing(HubUnreachable, "was not done within", push, folder, REPO, api=api(hub), patience=0.2)
    hub.delay = 0
    kept = fetch(REPO, api=api(hub))
    hub.delay = 60
    assert fetch(REPO, api=api(hub), patience=0.5) == kept
    assert time.monotonic() - began < 8


def test_a_download_that_drips_is_given_up(hub, folder):
    hub.put(REPO, contents(folder))
    hub.drip = 0.05
    began = time.monotonic()
    failing(HubUnreachable, "was not done within 1 s.*no copy", fetch, REPO, api=api(hub), patience=1)
    assert time.monotonic() - began < 4


def test_publishing_again_keeps_what_is_not_ours(hub, folder):
    push(folder, REPO, api=api(hub), private=True)
    repo = hub.repos[REPO]
    assert repo.private
    repo.commit({**repo.commits[repo.refs["main"]], "paper.pdf": b"%PDF"})
    (folder / SAMPLES).unlink()
    push(folder, REPO, api=api(hub), message="Second")
    assert set(repo.commits[repo.refs["main"]]) == {*FOLDER_FILES, ".gitattributes", "paper.pdf"} - {SAMPLES}
    assert len(repo.commits) == 4  # created, first, paper, second


@pytest.mark.parametrize(
    ("token", "message"),
    [(False, "set HF_TOKEN"), (None, "set HF_TOKEN"), (READ, r"refuses \(403\).*HF_TOKEN")],
)
def test_publishing_needs_a_token_that_may_write(hub, folder, token, message):
    failing(HubError, message, push, folder, REPO, api=api(hub, token))
    assert REPO not in hub.repos


@pytest.mark.parametrize("name", ["digits", "ada/digits@v1", "a b/c"])
def test_publishing_needs_a_name(hub, folder, name):
    failing(HubError, "USER/NAME", push, folder, name, api=api(hub))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (WEIGHTS, b"x"),
        (CONFIG, b"[]"),
        (METRICS, b"[]"),
        (TIMELINE, b"x"),
        (SAMPLES, b"GIF89a"),
        (DISCRIMINATOR, None),
    ],
)
def test_a_damaged_folder_is_not_published(hub, folder, name, content):
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    failing(ModelError, name, push, folder, REPO, api=api(hub))
    assert not hub.requests


def test_a_sheet_that_is_a_decompression_bomb_is_not_published(hub, folder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    failing(ModelError, f"{SAMPLES}: no PNG picture", push, folder, REPO, api=api(hub))
    assert not hub.requests


@pytest.mark.parametrize("name", [WEIGHTS, METRICS, SAMPLES, CARD])
def test_a_link_is_not_published(hub, folder, tmp_path, name):
    (tmp_path / "secret").write_bytes((folder / name).read_bytes() if (folder / name).exists() else b"secret")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / "secret")
    failing(ModelError, f"{name}: is a link", push, folder, REPO, api=api(hub))
    assert not hub.requests


def test_the_card_says_how_to_use_the_model_and_how_good_it_is(hub, folder):
    push(folder, REPO, api=api(hub))
    card = ModelCard.load(folder / CARD)
    assert card.data.pipeline_tag == "unconditional-image-generation"
    assert card.data.datasets == ["ylecun/mnist"]
    assert "label-conditional" in card.data.tags
    results = {result.metric_name: result.metric_value for result in card.data.eval_results}
    assert results == {"obedience accuracy": 0.9964, "frechet": 1.5, "usefulness": 0.97}
    text = card.text
    assert "| obedience accuracy | 0.9964 ± 0.0004 | 0.997 |" in text
    assert "| frechet | 1.5 | 0.75 |" in text
    assert "features cgan-mnist, unless they name others" in text
    assert TRAINING["command"] in text
    assert "minutes: 61.5" in text
    assert "`zero`, `one`, `two`" in text
    assert f"python app.py --model {REPO}" in text
    assert f"]({SAMPLES})" in text


def test_the_cards_python_runs(hub, folder, monkeypatch):
    push(folder, REPO, api=api(hub))
    code = (folder / CARD).read_text().split("```python\n")[1].split("```")[0]
    kept = fetch(REPO, api=api(hub))
    monkeypatch.setattr("cgan.hub.fetch", lambda spec: {REPO: kept}[spec])
    scope: dict = {}
    exec(code, scope)
    assert scope["images"].shape == (16, 1, 8, 8)


def test_a_card_invents_no_figures(hub, tmp_path):
    save(tmp_path, whole=False)
    push(tmp_path, REPO, api=api(hub))
    card = ModelCard.load(tmp_path / CARD)
    assert card.data.eval_results is None
    for absent in ("## Figures", "## Training", SAMPLES, "None", "nan"):
        assert absent not in card.content, absent
    write_json(tmp_path / METRICS, {"training": {"kimg": 3}, "evaluation": {"generated": [1], "real": "?"}})
    push(tmp_path, REPO, api=api(hub))
    text = (tmp_path / CARD).read_text()
    assert "kimg: 3" in text
    assert "## Figures" not in text


@pytest.mark.parametrize(
    ("error", "kind", "line"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            HubError,
            "can't be kept here (No space left on device)",
        ),
        (OSError("Illegal header value b'Bearer hf_secret'"), HubUnreachable, "can't be reached (OSError)"),
        (KeyError("Bearer hf_secret"), HubError, ": KeyError"),
    ],
)
def test_a_full_disk_is_no_lost_hub_and_a_token_is_not_told(hub, error, kind, line):
    found = hub_module._explain(error, api(hub), REPO)
    assert type(found) is kind
    assert str(found).endswith(line)


def test_user_and_password_of_an_address_are_not_told(folder):
    private = HfApi(endpoint="http://user:hf_secret@127.0.0.1:9")
    with pytest.raises(HubUnreachable) as told:
        fetch(REPO, api=private, cache=folder.parent, patience=2)
    assert "hf_secret" not in str(told.value)
    assert "http://127.0.0.1:9" in str(told.value)


def test_a_card_tells_of_every_run(folder):
    earlier = TRAINING | {"command": "python train.py --preset first"}
    write_json(
        folder / METRICS, {"training": TRAINING | {"began_from": earlier | {"began_from": {"command": 1}}}}
    )
    write_card(folder, ConditionalGAN.load(folder), "model")
    text = (folder / CARD).read_text()
    assert f"```\n1\n{earlier['command']}\n{TRAINING['command']}\n```" in text
    assert "Each run began from the weights of the one before" in text
    assert "Today" not in text


def test_a_card_tells_of_one_command_once_whatever_its_runs(folder):
    own = {"command": TRAINING["command"]}
    write_json(folder / METRICS, {"training": TRAINING | {"began_from": own | {"began_from": own}}})
    write_card(folder, ConditionalGAN.load(folder), "model")
    assert f"```\n{TRAINING['command']}  # 3 runs\n```" in (folder / CARD).read_text()


def test_a_bundled_card_says_that_its_runs_are_one_command_today(folder):
    later = TRAINING | {"command": "python train.py --preset dots --init assets/models/dots --out DIR"}
    write_json(folder / METRICS, {"training": later | {"began_from": TRAINING}})
    write_card(folder, ConditionalGAN.load(folder), "assets/models/dots")
    assert "Today `--preset dots` alone makes all runs of that preset." in (folder / CARD).read_text()


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (Caption("text", ("a <b>\n# cat", "", "two `dogs`"), 200), "longest 200"),
        (Caption("text", ("a <b>\n# cat", "", "two `dogs`"), 200), "`a <b> # cat`, `two 'dogs'`"),
        (
            Range("size", 13.022988, 90.502659, 51.762823499999996),
            "low 13.023; high 90.5027; default 51.7628",
        ),
        (Paint("mask", ("sky", "*"), ("#000000", "#ffffff"), 8, ("AAAA",)), "(paint): `sky`, `*`; size 8"),
    ],
)
def test_a_card_quotes_texts_as_they_are(field, told):
    line = _accepts(field)
    assert told in line
    assert "\n" not in line
    assert "AAAA" not in line


def test_a_card_of_ones_own_words_is_left_alone(hub, folder):
    (folder / CARD).write_text("---\nlicense: mit\n---\nMine.\n")
    push(folder, REPO, api=api(hub))
    assert (folder / CARD).read_text() == "---\nlicense: mit\n---\nMine.\n"
    (folder / CARD).write_bytes(b"No UTF-8: caf\xe9.\n")
    write_card(folder, ConditionalGAN.load(folder), REPO)
    assert (folder / CARD).read_bytes() == b"No UTF-8: caf\xe9.\n"


PROGRAM = """
import sys
from functools import partial
from cgan.hub import HubError, fetch, push
for action, *arguments in (line.split() for line in sys.argv[1:]):
    try:
        print({"push": push, "fetch": fetch, "hurry": partial(fetch, patience=1)}[action](*arguments))
    except HubError as error:
        print(error)
"""


def test_the_environment_alone_is_enough(hub, folder, tmp_path):
    """HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE as a user sets them, in their own processes; they end
    although a download that they gave up still drips."""

    def run(*actions: str, **extra: str) -> list[str]:
        keep = {"PATH": os.environ["PATH"], "HF_HUB_DISABLE_XET": "1", "PYTHONPATH": ROOT}
        environment = {**keep, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home"), **extra}
        command = [sys.executable, "-c", PROGRAM, *actions]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout.splitlines()

    hub.put("ada/slow", contents(folder))
    hub.drip, hub.drip_at = 60, "/ada/slow/"
    pushed, fetched, given_up = run(
        f"push {folder} {REPO}", f"fetch {REPO}", "hurry ada/slow", HF_TOKEN=WRITE
    )
    assert pushed.startswith(f"{hub.endpoint}/{REPO}/tree/")
    assert contents(Path(fetched)) == contents(folder)
    assert "was not done within 1 s" in given_up
    asked = len(hub.requests)
    warm, cold = run(f"fetch {REPO}", "fetch ada/other", HF_HUB_OFFLINE="1")
    assert warm == fetched
    assert cold == "ada/other: the Hub is off (HF_HUB_OFFLINE); no copy of it is kept here"
    assert len(hub.requests) == asked
