"""Models on the Hugging Face Hub: fetch one, publish one.

Only the known files of a model folder travel, and none of them is a pickle. Whoever starts the program
chooses the repository; nothing here is within a visitor's reach.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as DeadlineExceeded
from functools import partial
from pathlib import Path
from typing import TypeVar

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    get_token,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,  # httpx's in huggingface_hub 1.x, httpx2's in 2.x
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo
from huggingface_hub.utils import validate_repo_id
from PIL import Image

from cgan.card import write_card
from cgan.model import (
    CONFIG,
    FOLDER_FILES,
    METRICS,
    REQUIRED_FILES,
    SAMPLES,
    TIMELINE,
    ConditionalGAN,
    ModelError,
    check_size,
    one_line,
    read_json,
    size_limit,
)
from cgan.timeline import Timeline

T = TypeVar("T")
PATIENCE = 15.0  # seconds that the Hub may take to answer
SLOWEST = 200_000  # bytes a second; a transfer that is slower is given up
SPEC = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>\w[\w./-]*))?", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".joblib")


class HubError(ValueError):
    """What went wrong with a repository, in one line that visitors may read: user and password of an address
    (HF_ENDPOINT) are left out."""

    def __init__(self, line: str):
        super().__init__(re.sub(r"//[^/@\s]*@", "//", line))


class HubUnreachable(HubError):
    """The Hub did not answer, or not in time."""


def local(spec: str) -> Path | None:
    """The folder of this machine that `spec` names, if it does."""
    folder = os.path.expanduser(spec)
    return Path(folder) if os.path.isdir(folder) else None


def fetch(
    spec: str, *, api: HfApi | None = None, cache: Path | None = None, patience: float = PATIENCE
) -> Path:
    """The model folder of `spec`: a folder, or USER/NAME or USER/NAME@REVISION on the Hub.

    What was fetched once is kept in `cache` (the client's own by default) and used when the Hub can't be
    reached; a commit that is kept is not asked for again. Raises HubError if `spec` is malformed, missing,
    gated or no model of ours, HubUnreachable if the Hub does not answer in time and nothing is kept. It has
    `patience` seconds to describe the repository, and as long again and a second per 200 kB to send it.
    """
    if folder := local(spec):
        return folder
    repo, revision = parse(spec)
    api = api or HfApi(library_name="cgan-explorer")
    get = partial(api.hf_hub_download, repo, cache_dir=cache, etag_timeout=patience)
    kept = _kept(repo, revision, cache)
    if kept and revision and COMMIT.fullmatch(revision):
        return kept

    def describe() -> ModelInfo:
        return api.model_info(repo, revision=revision, files_metadata=True, timeout=patience)

    def download() -> Path:
        for name in reversed(wanted):  # config.json comes last, so a folder that has one is whole
            get(name, revision=info.sha)
        return Path(get(CONFIG, revision=revision)).parent  # and the cache learns what the revision means

    try:
        info = _ask(describe, patience, api, spec)
        wanted = _wanted(info, spec)
        return _ask(download, patience + sum(wanted.values()) / SLOWEST, api, spec)
    except HubUnreachable as error:
        if kept is None:
            raise HubUnreachable(f"{error}; no copy of it is kept here") from error
        return kept


def push(
    folder: Path,
    repo: str,
    *,
    private: bool = False,
    message: str = "Publish the model",
    api: HfApi | None = None,
    patience: float = PATIENCE,
) -> str:
    """Publish a model folder as USER/NAME in one commit, its card written first; returns that commit's page.

    The repository is created if it isn't there. Known files that the folder lacks are deleted from it, so
    that no commit mixes two models; others are left alone. Raises ModelError if the folder is no whole model,
    HubError if the Hub refuses or there is no token, HubUnreachable if it does not answer.
    """
    folder = Path(folder)
    name, revision = parse(repo)
    if revision:
        raise HubError(f"{repo}: a model is published to the main branch; give USER/NAME without a revision")
    model = check_folder(folder)
    api = api or HfApi(library_name="cgan-explorer")
    if api.token is False or not (api.token or get_token()):
        raise HubError("publishing needs a token that may write: set HF_TOKEN, or run `hf auth login`")
    write_card(folder, model, name)
    files = [file for file in FOLDER_FILES if (folder / file).is_file()]

    def publish() -> str:
        api.create_repo(name, private=private, exist_ok=True)
        there = {file.rfilename for file in api.model_info(name, timeout=patience).siblings or ()}
        additions = [CommitOperationAdd(file, folder / file) for file in files]
        stale = [CommitOperationDelete(file) for file in FOLDER_FILES if file in there and file not in files]
        commit = api.create_commit(name, [*additions, *stale], commit_message=message)
        return f"{api.endpoint}/{name}/tree/{commit.oid}"

    size = sum((folder / file).stat().st_size for file in files)
    return _ask(publish, 4 * patience + size / SLOWEST, api, name)


def parse(spec: str) -> tuple[str, str | None]:
    """USER/NAME or USER/NAME@REVISION -> (repository, revision or None). HubError if it is neither."""
    match = SPEC.fullmatch(spec)
    try:
        validate_repo_id(match["repo"] if match else "")
        if ".." in spec:
            raise ValueError("'..' names no revision")
    except ValueError as error:
        accepted = "a model is a folder, or USER/NAME or USER/NAME@REVISION on the Hugging Face Hub"
        raise HubError(f"{one_line(spec)}: there is no such folder; {accepted}") from error
    return match["repo"], match["revision"]


def check_folder(folder: Path) -> ConditionalGAN:
    """The model of a folder of which every known file is sound. ModelError says which one isn't.

    Unlike ConditionalGAN.load it follows no links, lest a file from elsewhere is published.
    """
    if link := next((name for name in FOLDER_FILES if (folder / name).is_symlink()), None):
        raise ModelError(f"{folder / link}: is a link; only files of the folder itself are published")
    model = ConditionalGAN.load(folder)
    if (folder / METRICS).exists():
        read_json(folder / METRICS)
    if (folder / TIMELINE).exists():
        line = Timeline(folder)
        scratch = ConditionalGAN(model.config)
        for index in range(len(line)):
            line.load_into(scratch, index)
    if (path := folder / SAMPLES).exists():
        check_size(path)
        try:
            with Image.open(path, formats=["PNG"]) as picture:
                picture.verify()
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise ModelError(f"{path}: no PNG picture ({one_line(error)})") from error
    return model


def _kept(repo: str, revision: str | None, cache: Path | None) -> Path | None:
    """The last copy in the cache, if there is a whole one."""
    config = try_to_load_from_cache(repo, CONFIG, cache_dir=cache, revision=revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return folder if all((folder / name).is_file() for name in REQUIRED_FILES) else None


def _wanted(info: ModelInfo, spec: str) -> dict[str, int]:
    """Bytes to fetch, by name. HubError if a needed file is not there or one is larger than allowed."""
    sizes = {file.rfilename: file.size for file in info.siblings or ()}
    if missing := [name for name in REQUIRED_FILES if name not in sizes]:
        pickles = [name for name in sizes if name.endswith(PICKLES)]
        why = f"; {one_line(pickles[0])} is a pickle, which is never read" if pickles else ""
        raise HubError(f"{spec}: no model of this program, {', '.join(missing)} is not there{why}")
    wanted = {name: sizes[name] for name in FOLDER_FILES if name in sizes}
    for name, size in wanted.items():
        if size is None or size > size_limit(name):
            raise HubError(f"{spec}: {name} has {size} bytes, more than the {size_limit(name)} allowed")
    return wanted


def _ask(work: Callable[[], T], seconds: float, api: HfApi, spec: str) -> T:
    """What `work` returns, if it does so in time; what it raises, as a HubError.

    The client's own timeouts are per packet and its retries take minutes, so the whole gets a deadline. A
    thread that is past it lives on until its socket gives up, but does not keep the program from ending.
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=run, name="hub", daemon=True).start()
    try:
        return answer.result(seconds)
    except DeadlineExceeded as error:
        raise HubUnreachable(f"{spec}: {api.endpoint} was not done within {seconds:.0f} s") from error
    except Exception as error:  # whatever the client, the network or the server came up with
        raise _explain(error, api, spec) from error


def _explain(error: Exception, api: HfApi, spec: str) -> HubError:
    """A library's exception as one line that says what to do."""
    hub, repo = api.endpoint, f"{api.endpoint}/{spec.partition('@')[0]}"
    match error:
        case LocalEntryNotFoundError() | RuntimeError() if isinstance(error.__cause__, Exception):
            return _explain(error.__cause__, api, spec)  # what the client wraps
        case GatedRepoError():
            return HubError(f"{spec}: is gated; accept its terms at {repo}, then set HF_TOKEN")
        case RepositoryNotFoundError():
            return HubError(f"{spec}: there is no such folder, nor {repo}; if it is private, set HF_TOKEN")
        case RevisionNotFoundError():
            return HubError(f"{spec}: {repo} has no such revision; give a branch, a tag or a whole commit")
        case OfflineModeIsEnabled():
            return HubUnreachable(f"{spec}: the Hub is off (HF_HUB_OFFLINE)")
        case HfHubHTTPError(response=answer) if answer.status_code in (401, 403):
            return HubError(
                f"{spec}: {hub} refuses ({answer.status_code}); HF_TOKEN must be one that may do this"
            )
        case HfHubHTTPError(response=answer) if answer.status_code >= 500 or answer.status_code in (408, 429):
            return HubUnreachable(f"{spec}: {hub} is out of order ({answer.status_code})")
        case HfHubHTTPError(response=answer):
            why = one_line(error.server_message or error)
            return HubError(f"{spec}: {hub} refuses ({answer.status_code}: {why})")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return HubError(f"{spec}: can't be kept here ({error.strerror})")
        case OSError(errno=int(), filename=str() as path):
            return HubError(f"{spec}: can't be kept in {path} ({error.strerror})")
        case HTTPError() | OSError():
            return HubUnreachable(f"{spec}: {hub} can't be reached ({_named(error)})")
    return HubError(f"{spec}: {_named(error)}")


def _named(error: Exception) -> str:
    """An exception in words, without those that quote a token."""
    said = one_line(error)
    return type(error).__name__ + ("" if "Bearer" in said else f": {said}")
