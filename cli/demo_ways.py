"""The two electronic ways of the demo: eGo-MAIL through a trial intermediary, or a folder that both see."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from engine.clock import Clock
from engine.exchange.ports import Mailbox
from engine.identifiers import RandomIds

EGO_MAIL, FOLDER = "ego-mail", "folder"
NEEDED = ("starlette", "uvicorn")
"""What the trial intermediary stands on; the extra ``intermediary`` brings it."""


class Way(Protocol):
    """How the electronic half of the story travels."""

    channel: str

    def settings(self, home: Path, authority: str) -> str:
        """Equip the installation at ``home``; return what has to be added to its dienstweg.toml."""
        ...

    def mailbox(self, owner: str, sender: str, since: date) -> Mailbox:
        """Open ``owner``'s mailbox for ``sender``."""
        ...

    def in_transit(self) -> Iterator[str]:
        """Say what can be seen of messages that are on their way."""
        ...

    def afterwards(self) -> Sequence[str]:
        """Say what is needed to send and receive once more after the demo."""
        ...

    def close(self) -> None:
        """Stop what was started."""
        ...


def choose(wanted: str | None) -> str:
    """Return the way that is asked for; without a wish eGo-MAIL, where all it needs is installed."""
    if wanted is not None:
        return wanted
    return EGO_MAIL if all(find_spec(name) for name in NEEDED) else FOLDER


def make_way(name: str, folder: Path, authorities: Sequence[str], clock: Clock) -> Way:
    """Make the way called ``name`` below ``folder``."""
    return _EgoMail(folder, authorities, clock) if name == EGO_MAIL else _Folder(folder)


class _EgoMail:
    """An intermediary on a free port of this host, with TLS; all keys are made on the spot."""

    channel = "xdomea+ego_mail"

    def __init__(self, folder: Path, authorities: Sequence[str], clock: Clock) -> None:
        from adapters.ego_mail.site import TrialSite

        self._site = TrialSite(folder / "osci", authorities, clock, RandomIds())
        self._running = ExitStack()
        self._uri = self._running.enter_context(self._site.open())

    def settings(self, home: Path, authority: str) -> str:
        return self._site.equip(home, authority, self._uri)

    def mailbox(self, owner: str, sender: str, since: date) -> Mailbox:
        return self._site.mailbox(owner, "xdomea", self._uri, since)

    def in_transit(self) -> Iterator[str]:
        from adapters.ego_mail.intermediary.listing import list_mailboxes

        waiting = sum(each["waiting"] for each in list_mailboxes(self._site.home))
        yield f"at the intermediary {self._uri} {waiting} delivery waits, signed and sealed"

    def afterwards(self) -> Sequence[str]:
        port = self._uri.rsplit(":", 1)[1].split("/")[0]
        home, tls = self._site.home, self._site.tls
        serve = f"dienstweg intermediary serve --home {home} --port {port}"
        return (
            "To send and receive by eGo-MAIL once more, let the intermediary listen in another terminal:",
            f"   {serve} --tls-certificate {tls / 'server.pem'} --tls-key {tls / 'server.key'}",
        )

    def close(self) -> None:
        self._running.close()


class _Folder:
    """Folders on a share."""

    channel = "xdomea+folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._share = folder / "austausch"

    def settings(self, home: Path, authority: str) -> str:
        return ""

    def mailbox(self, owner: str, sender: str, since: date) -> Mailbox:
        root = self._share / owner
        (root / sender).mkdir(parents=True, exist_ok=True)
        return Mailbox(
            authority_id=owner,
            channel=self.channel,
            address=str(root.resolve()),
            valid_from=since,
            accepts_test=True,
            settings={"senders": "subfolders", "versions": ["3.1.0"]},
        )

    def in_transit(self) -> Iterator[str]:
        for path in sorted(self._share.rglob("*.zip")):
            size = path.stat().st_size
            yield f"in the exchange folder: {path.relative_to(self._folder)} ({size} bytes)"

    def afterwards(self) -> Sequence[str]:
        return ()

    def close(self) -> None:
        """There is nothing to stop."""
