"""Who acts for a mailbox, and the OSCI client to act with."""

from typing import TYPE_CHECKING

from adapters.ego_mail.osci.client import Client, Intermediary
from adapters.ego_mail.osci.http import HttpTransport
from adapters.ego_mail.settings import Configuration, Office
from adapters.ego_mail.trial import LocalTransport, is_trial, trial_folder, trial_office
from engine.exchange.ports import AdapterContext, Mailbox

if TYPE_CHECKING:
    from adapters.ego_mail.osci.http import Transport


class Offices:
    """The own authorities of one installation, each loaded when first needed."""

    def __init__(self, context: AdapterContext) -> None:
        """Read nothing yet."""
        self._context = context
        self._configuration = Configuration(context.home, context.settings)
        self._known: dict[tuple[str, str], Office] = {}
        self._trials: dict[str, LocalTransport] = {}

    def authorities(self) -> list[str]:
        """Return the own authorities that have keys in the settings."""
        return self._configuration.authorities()

    def of(self, mailbox: Mailbox) -> Office:
        """Return who acts for an own mailbox; raise EgoMailSettingsError or KeyFileError."""
        trial = mailbox.address if is_trial(mailbox.address) else ""
        key = (mailbox.authority_id, trial)
        if key not in self._known:
            self._known[key] = (
                trial_office(trial_folder(trial), mailbox.authority_id, self._context.clock)
                if trial
                else self._configuration.office(mailbox.authority_id)
            )
        return self._known[key]

    def named(self, authority_id: str) -> Office:
        """Return the office of an authority as the settings have it."""
        return self._configuration.office(authority_id)

    def client(self, office: Office, intermediary: Intermediary) -> Client:
        """Return a client towards an intermediary. Not for several threads."""
        context = self._context
        return Client(
            intermediary,
            office.keys.identity,
            self._transport(office, intermediary.uri),
            trust=office.trust,
            clock=context.clock,
            ids=context.ids,
        )

    def _transport(self, office: Office, uri: str) -> "Transport":
        if not is_trial(uri):
            return HttpTransport(timeout=office.timeout, tls=office.tls)
        if uri not in self._trials:
            # Its keys take long to load.
            self._trials[uri] = LocalTransport(trial_folder(uri), self._context.clock, self._context.ids)
        return self._trials[uri]
