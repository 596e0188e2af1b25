"""Trial mailboxes for scenarios and training: one folder holds intermediary, keys and mailboxes.

Orders reach the trial intermediary without a socket, but signed, encrypted and answered as everywhere else;
so nothing has to be started or stopped, and several processes can share the folder.
"""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.ego_mail.errors import TrialMissingError
from adapters.ego_mail.osci.client import Identity
from adapters.ego_mail.osci.keys import fingerprint, load_certificates
from adapters.ego_mail.osci.streams import Spool
from adapters.ego_mail.osci.trust import TrustStore
from adapters.ego_mail.osci.wire import Outgoing
from adapters.ego_mail.settings import Office, OwnKeys
from engine.clock import Clock
from engine.exchange.ports import Mailbox, channel_name
from engine.identifiers import IdSource

if TYPE_CHECKING:
    from adapters.ego_mail.intermediary.serving import TrialKeys

SCHEME = "trial:"
KEYS = "keys"
INTERMEDIARY = "intermediary"
CIPHER, SIGNATURE = "cipher.cer.pem", "signature.cer.pem"


def is_trial(address: str) -> bool:
    """Tell whether an address belongs to a trial."""
    return address.startswith(SCHEME)


def trial_folder(address: str) -> Path:
    """Return the folder behind the address of a trial mailbox."""
    return Path(address.removeprefix(SCHEME))


def open_mailbox(folder: Path, authority_id: str, payload: str, clock: Clock) -> Mailbox:
    """Make keys for ``authority_id`` and the intermediary below ``folder``, and describe the mailbox."""
    _keys(folder, INTERMEDIARY, clock)
    _keys(folder, authority_id, clock)
    texts = {
        "certificate": folder / KEYS / authority_id / CIPHER,
        "intermediary_cipher": folder / KEYS / INTERMEDIARY / CIPHER,
        "intermediary_signature": folder / KEYS / INTERMEDIARY / SIGNATURE,
    }
    return Mailbox(
        authority_id=authority_id,
        channel=channel_name(payload, "ego_mail"),
        address=f"{SCHEME}{folder}",
        valid_from=date(2020, 1, 1),
        formats=("application/pdf", "application/xml", "text/plain"),
        settings={name: path.read_text(encoding="ascii") for name, path in texts.items()},
    )


def trial_office(folder: Path, authority_id: str, clock: Clock) -> Office:
    """Return who acts for a trial mailbox: all certificates in the folder are known and believed."""
    keys = _keys(folder, authority_id, clock)
    owners = {path.parent.name: path for path in sorted((folder / KEYS).glob(f"*/{SIGNATURE}"))}
    known = {owner: load_certificates(path)[0] for owner, path in owners.items()}
    ciphers = [load_certificates(path)[0] for path in sorted((folder / KEYS).glob(f"*/{CIPHER}"))]
    return Office(
        OwnKeys(Identity(keys.signature.signer(), keys.cipher.decrypter())),
        TrustStore(pinned=[*known.values(), *ciphers]),
        {fingerprint(each): owner for owner, each in known.items() if owner != INTERMEDIARY},
    )


def _keys(folder: Path, owner: str, clock: Clock) -> "TrialKeys":
    try:
        from adapters.ego_mail.intermediary.serving import make_keys
    except ImportError as error:
        raise TrialMissingError(
            f"{error.name} is not installed", hint="install dienstweg with its extra 'intermediary'"
        ) from error
    return make_keys(folder / KEYS / owner, clock, f"Dienstweg trial {owner}")


class LocalTransport:
    """Hands orders to the trial intermediary of a folder; each one opens and closes it."""

    def __init__(self, folder: Path, clock: Clock, ids: IdSource) -> None:
        """Use the intermediary below ``folder``, which ``open_mailbox`` has made."""
        keys = _keys(folder, INTERMEDIARY, clock)
        self._identity = Identity(keys.signature.signer(), keys.cipher.decrypter())
        self._home = folder / INTERMEDIARY
        self._clock = clock
        self._ids = ids

    def exchange(self, uri: str, message: Outgoing, *, limit: int | None = None) -> Spool:
        """Carry out one order and return its answer."""
        from adapters.ego_mail.intermediary.service import IntermediaryService

        service = IntermediaryService(self._home, self._identity, clock=self._clock, ids=self._ids)
        try:
            order = Spool()
            for piece in message.chunks():
                order.write(piece)
            answer = service.handle(order)
            spool = Spool(limit=limit)
            try:
                for piece in answer.outgoing.chunks():
                    spool.write(piece)
            finally:
                answer.close()
            return spool
        finally:
            service.close()
