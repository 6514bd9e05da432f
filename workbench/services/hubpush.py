"""Exports to the Hugging Face hub: one commit of a folder that is whole and unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import Forbidden, InvalidInput, NotFound, Unavailable
from workbench.services.modelfolder import SUMS, check_folder, files_of

NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
MEND_TOKEN = "make one with write access in the settings of your account at the hub, and set HF_TOKEN to it"
FIRST_ANSWER_SECONDS = 10.0
"""How long the hub may take to say that it is there, before anything is sent."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """An export on the hub.

    Attributes:
        repository: ``owner/name``.
        address: Of its page.
        commit: Hash of the commit.
        files: How many.
    """

    repository: str
    address: str
    commit: str
    files: int


def push_export(
    folder: Path,
    repository: str,
    *,
    public: bool = False,
    message: str | None = None,
    token: str | None = None,
) -> Pushed:
    """Put an export's files into a repository of the hub, in one commit; the repository is made where there is none.

    Args:
        folder: What ``workbench export-model`` made.
        repository: ``owner/name``.
        public: A repository that is made now can be seen by all; one that exists stays as it is.
        message: Of the commit.
        token: One that may write; it is kept nowhere. None takes that of ``huggingface_hub``: ``HF_TOKEN``, or of
            who has said ``hf auth login``.

    Raises:
        ModelUnavailable: The folder is no model, is not whole, or was changed since its export.
        InvalidInput: The repository's name is none, or the folder has no hashes to check it by.
        Unavailable: There is no token, or the hub can't be reached or does not take the files.
        Forbidden: The hub does not know the token, or the token may not write there.
        NotFound: There is no such owner.
    """
    _check_name(repository)
    check_folder(folder)
    if not (folder / SUMS).is_file():
        raise InvalidInput(
            f"{folder} has no {SUMS}", remedy="push a folder that `workbench export-model` made"
        )
    from huggingface_hub import HfApi, constants, get_session

    if constants.HF_HUB_OFFLINE:
        raise Unavailable(
            "HF_HUB_OFFLINE keeps the hub away", remedy="unset it, or push from another machine"
        )
    token = token or own_token()
    if not token:
        raise Unavailable("there is no token for the hub", remedy=MEND_TOKEN)
    if not token.isascii():  # no request can carry it
        raise Forbidden("this is no token of the hub", remedy=MEND_TOKEN)
    names = [path.relative_to(folder).as_posix() for path in files_of(folder)]
    with _told(repository):
        # One question first, so that a machine without internet hears of it at once, not after the library's retries.
        get_session().get(constants.ENDPOINT, timeout=FIRST_ANSWER_SECONDS)
        hub = HfApi(token=token)
        hub.create_repo(repository, private=not public, exist_ok=True)
        done = hub.upload_folder(
            repo_id=repository,
            folder_path=folder,
            allow_patterns=names,
            commit_message=message or "Exported and checked by the Annotation Workbench",
        )
    return Pushed(repository, f"{constants.ENDPOINT}/{repository}", done.oid, len(names))


def _check_name(repository: str) -> None:
    """Raise InvalidInput for what is no name of a repository, as the hub and its library see it."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # exported, but by __getattr__

    try:
        validate_repo_id(repository)
    except HFValidationError:
        known = False
    else:
        known = NAME.fullmatch(repository) is not None
    if not known:
        raise InvalidInput(
            f"{repository!r} is no repository of the hub",
            remedy="give OWNER/NAME, of letters, digits and single - . _ between them",
        )


def own_token() -> str | None:
    """The token that this machine has for the hub: ``HF_TOKEN``, or of who has said ``hf auth login``."""
    from huggingface_hub import get_token

    return get_token()


@contextmanager
def _told(repository: str) -> Iterator[None]:
    """Turn what the library raises into sentences with a remedy; keep its progress bars off the terminal."""
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # exported, but by __getattr__
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    bars = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    except HfHubHTTPError as error:
        raise _refused(repository, error.response.status_code) from error
    except (httpx.HTTPError, ConnectionError, TimeoutError) as error:
        raise Unavailable(
            f"the hub can't be reached ({type(error).__name__})",
            where=repository,
            remedy="connect to the internet and try again; the export itself is untouched",
        ) from error
    finally:
        if bars:
            enable_progress_bars()


def _refused(repository: str, status: int) -> Forbidden | NotFound | Unavailable:
    owner = repository.partition("/")[0]
    match status:
        case 401:
            return Forbidden("the hub does not know this token", where=repository, remedy=MEND_TOKEN)
        case 403:
            return Forbidden(
                f"this token may not write to {owner}'s repositories",
                where=repository,
                remedy=f"{MEND_TOKEN}, or push to a name of your own",
            )
        case 404:
            return NotFound(f"the hub has no owner {owner}", where=repository, remedy="check the name")
        case _:
            return Unavailable(
                f"the hub refused the files ({status})", where=repository, remedy="try again later"
            )
