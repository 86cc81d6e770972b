"""Which uploaded files each open page uses, so that they go when nobody uses them any more.

Gradio keeps an upload under the hash of its content: two visitors who upload the same picture share
one file, and what a browser names as its upload may be any file of the cache, a download that
everyone is offered among them. So a file is deleted only when it came as an upload, and only with
the last page that uses it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path


class Uploads:
    """Safe to call from many threads."""

    def __init__(self, is_upload: Callable[[str], bool] = lambda path: False) -> None:
        """is_upload: whether a visitor uploaded the file of that path."""
        self._is_upload = is_upload
        self._users: dict[str, set[tuple[str, str]]] = {}  # path → (session, purpose)
        self._lock = threading.Lock()

    def hold(self, session: str | None, source: object, purpose: str = "") -> None:
        """Note that a page uses an upload; what never became a file needs no noting."""
        if session and isinstance(source, str) and self._is_upload(source):
            with self._lock:
                self._users.setdefault(source, set()).add((session, purpose))

    def release(self, session: str | None, source: object, purpose: str = "") -> None:
        """The page needs the upload no longer for that; its last user takes the file along."""
        if not session or not isinstance(source, str):
            return
        with self._lock:
            self._drop(source, {(session, purpose)})

    def leave(self, session: str | None) -> None:
        """The page is closed: it uses nothing any more."""
        with self._lock:
            for source, users in list(self._users.items()):
                self._drop(source, {user for user in users if user[0] == session})

    def _drop(self, source: str, leaving: set[tuple[str, str]]) -> None:
        """Under the lock, so that nobody begins to use a file that is about to go."""
        users = self._users.get(source)
        if users is None or not users & leaving:
            return
        users -= leaving
        if not users:
            del self._users[source]
            Path(source).unlink(missing_ok=True)
