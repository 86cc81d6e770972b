"""Which uploaded files each open page uses, so that they go when nobody uses them any more.

Gradio keeps an upload under the hash of its content: two visitors who upload the same picture share
one file, and what a browser names as its upload may be any file of the cache, a download that
everyone is offered among them. So a file is deleted only when it came as an upload, and only with
the last page that uses it; and not within a minute of its last upload, which may be of somebody
whose request has not begun.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

#: Seconds from an upload until its request has begun. Looked at every quarter of it, so that what
#: nobody uses is gone within the minute that the page promises.
STAY = 45.0


class Uploads:
    """Safe to call from many threads."""

    def __init__(
        self, is_upload: Callable[[str], bool] = lambda path: False, stay: float = STAY
    ) -> None:
        """is_upload: whether a visitor uploaded the file of that path. stay: seconds from its last
        upload for which a file is kept at least."""
        self._is_upload, self._stay = is_upload, stay
        self._users: dict[str, set[tuple[str, str]]] = {}  # path → (session, purpose)
        self._unused: set[str] = set()  # what nobody uses any more, and was uploaded just now
        self._looks_again = False
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
            self._unused.add(source)
            self._delete()

    def _delete(self) -> None:
        """Under the lock: what is unused and has stayed as long as it must; the rest soon.

        One thread waits for all of it, however many calls there are.
        """
        self._unused = {source for source in self._unused - set(self._users) if self._stays(source)}
        if self._unused and not self._looks_again:
            self._looks_again = True
            later = threading.Timer(self._stay / 4, self._look_again)
            later.daemon = True
            later.start()

    def _stays(self, source: str) -> bool:
        """Whether the file has to stay for now; one that has not is deleted."""
        try:
            if Path(source).stat().st_mtime + self._stay > time.time():
                return True
            Path(source).unlink()
        except OSError:  # it is gone already
            pass
        return False

    def _look_again(self) -> None:
        with self._lock:
            self._looks_again = False
            self._delete()
