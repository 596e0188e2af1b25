from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.ego_mail.intermediary.cases import IntermediarySettings
from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.intermediary.serving import running
from adapters.ego_mail.osci.client import Client, Identity, Intermediary, Settings
from adapters.ego_mail.osci.http import HttpTransport
from adapters.ego_mail.osci.trust import TrustStore
from engine.clock import TurnedClock
from engine.identifiers import RandomIds
from tests.osci.pki import NOW, Authority, Party

SHARED = Path(__file__).parents[2] / ".." / "shared" / "standards"


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def alice(authority: Authority) -> Party:
    return authority.party("Alice")


@pytest.fixture(scope="session")
def bob(authority: Authority) -> Party:
    return authority.party("Bob")


@pytest.fixture(scope="session")
def carol(authority: Authority) -> Party:
    return authority.party("Carol")


@pytest.fixture(scope="session")
def operator(authority: Authority) -> Party:
    return authority.party("Intermediary")


@pytest.fixture(scope="session")
def trust(authority: Authority) -> TrustStore:
    return TrustStore([authority.certificate])


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(NOW)


@dataclass
class Office:
    """An intermediary under test and the clients that know it."""

    service: IntermediaryService
    uri: str
    operator: Party
    trust: TrustStore
    clock: TurnedClock
    transport: HttpTransport

    def client(self, party: Party, **changes: object) -> Client:
        settings = replace(Settings(), **changes)  # type: ignore[arg-type]
        return Client(
            Intermediary(self.uri, self.operator.cipher, self.operator.signature),
            Identity(party.signer, party.decrypter),
            self.transport,
            trust=self.trust,
            clock=self.clock,
            ids=RandomIds(),
            settings=settings,
        )


@pytest.fixture
def service(
    tmp_path: Path, operator: Party, clock: TurnedClock, trust: TrustStore, request: pytest.FixtureRequest
) -> Iterator[IntermediaryService]:
    changes = getattr(request, "param", {})
    service = IntermediaryService(
        tmp_path / "intermediary",
        Identity(operator.signer, operator.decrypter),
        clock=clock,
        ids=RandomIds(),
        settings=replace(IntermediarySettings(trust=trust), **changes),
        transport=HttpTransport(timeout=20),
    )
    yield service
    service.close()


@pytest.fixture
def office(
    service: IntermediaryService, operator: Party, trust: TrustStore, clock: TurnedClock
) -> Iterator[Office]:
    with running(service) as uri:
        yield Office(service, uri, operator, trust, clock, HttpTransport(timeout=20))
