"""Files that pages offer for download, served by a route of our own.

Streamlit's own download button keeps a file under an address made from parts of its content, which two large
exports may share, and serves it to whoever knows that address. Here each file gets an id of its own, belongs to
the person who asked for it, and goes after a day.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from workbench.config import Settings
from workbench.domain import Role, User
from workbench.errors import Forbidden, InvalidInput, NotFound
from workbench.storage.rows import now

ID = re.compile(r"[0-9a-f]{32}")
KEPT = timedelta(hours=24)
ABOUT = "about.json"
CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Download:
    """A file that can be fetched.

    Attributes:
        id: 32 hexadecimal digits, random.
        name: What the browser saves it as.
        path: Where its content lies.
        user_id: Whose it is.
        size: Bytes.
    """

    id: str
    name: str
    path: Path
    user_id: int
    size: int


class DownloadService:
    """Publish files, and give them to whom they belong."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home.absolute() / "downloads"

    def publish(self, name: str, user: User, write: Callable[[Path], object]) -> Download:
        """Make a file and offer it under a new id; files older than a day are dropped on the way.

        Args:
            name: What the browser shall save it as; a plain file name.
            user: Who may fetch it (admins may as well).
            write: Writes the content to the path that it is given.

        Raises:
            InvalidInput: The name is no plain file name.
            Anything that ``write`` raises: then nothing is offered.
        """
        if (
            not name
            or name in (".", "..")
            or not name.isprintable()
            or any(char in name for char in "/\\\x00")
        ):
            raise InvalidInput(f"{name!r} can't be a file's name", remedy="give a name without / or \\")
        self._drop_old()
        download_id = secrets.token_hex(16)
        part = self._folder / f".{download_id}"
        part.mkdir(parents=True)
        try:
            write(part / CONTENT)
            (part / ABOUT).write_text(json.dumps({"name": name, "user_id": user.id}), encoding="utf-8")
            part.rename(self._folder / download_id)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return self.get(download_id, user)

    def get(self, download_id: str, user: User) -> Download:
        """The file of that id.

        Raises:
            NotFound: There is none, or not any more.
            Forbidden: It is somebody else's.
        """
        if not ID.fullmatch(download_id):
            raise NotFound("there is no such download", remedy="make it again")
        folder = self._folder / download_id
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            size = (folder / CONTENT).stat().st_size
        except FileNotFoundError:
            raise NotFound("this download is gone", remedy="make it again") from None
        # What it holds is not known here: a project that is hidden from a lead, a backup that only admins may make.
        if about["user_id"] != user.id and user.role is not Role.ADMIN:
            raise Forbidden("this download is somebody else's", remedy="make one of your own")
        return Download(download_id, about["name"], folder / CONTENT, about["user_id"], size)

    def _drop_old(self) -> None:
        if not self._folder.is_dir():
            return
        oldest = (now() - KEPT).timestamp()
        for folder in self._folder.iterdir():
            try:
                if folder.stat().st_mtime < oldest:
                    shutil.rmtree(folder, ignore_errors=True)
            except FileNotFoundError:
                continue  # another process was faster
