"""The adapters of an installation, found through entry points and made when first needed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from engine.errors import EnvironmentFaultError
from engine.exchange.ports import AdapterContext, Carrier, Payload, split_channel
from engine.exchange.scanning import Scanner
from engine.exchange.signers import Signer

CARRIERS = "dienstweg.carriers"
PAYLOADS = "dienstweg.payloads"
SCANNERS = "dienstweg.scanners"
SIGNERS = "dienstweg.signers"


class UnknownChannelError(EnvironmentFaultError):
    """No adapter of this name is installed."""


class Adapters:
    """Carriers and payloads by name."""

    def __init__(self, context: AdapterContext, settings: Mapping[str, Mapping[str, Any]]) -> None:
        """Use ``context`` for every adapter, with the adapter's own table of ``settings``."""
        self._context = context
        self._settings = settings
        self._carriers: dict[str, Carrier] = {}
        self._payloads: dict[str, Payload] = {}
        self._scanners: dict[str, Scanner] = {}
        self._signers: dict[str, Signer] = {}

    def carrier(self, name: str) -> Carrier:
        """Return the carrier ``name``; raise UnknownChannelError where none is installed."""
        if name not in self._carriers:
            self._carriers[name] = self._factory(CARRIERS, name)(self._context_for(name))
        return self._carriers[name]

    def payload(self, name: str) -> Payload:
        """Return the payload ``name``; raise UnknownChannelError where none is installed."""
        if name not in self._payloads:
            self._payloads[name] = self._factory(PAYLOADS, name)(self._context_for(name))
        return self._payloads[name]

    def scanner(self, name: str) -> Scanner:
        """Return the malware scanner ``name``; raise UnknownChannelError where none is installed."""
        if name not in self._scanners:
            self._scanners[name] = self._factory(SCANNERS, name)(self._context_for(name))
        return self._scanners[name]

    def signer(self, name: str) -> Signer:
        """Return the signer ``name``; raise UnknownChannelError where none is installed."""
        if name not in self._signers:
            self._signers[name] = self._factory(SIGNERS, name)(self._context_for(name))
        return self._signers[name]

    def signers(self) -> list[Signer]:
        """Return every installed signer, by name."""
        return [self.signer(name) for name in sorted({*_installed(SIGNERS), *self._signers})]

    def channel(self, channel: str) -> tuple[Payload, Carrier]:
        """Return both halves of ``channel``, e.g. ``letter+post``."""
        payload, carrier = split_channel(channel)
        return self.payload(payload), self.carrier(carrier)

    def payloads(self) -> list[Payload]:
        """Return every installed payload, by name."""
        return [self.payload(name) for name in sorted(_installed(PAYLOADS))]

    def carriers(self) -> list[Carrier]:
        """Return every installed carrier, by name."""
        return [self.carrier(name) for name in sorted(_installed(CARRIERS))]

    def add(
        self,
        *,
        carrier: Carrier | None = None,
        payload: Payload | None = None,
        signer: Signer | None = None,
    ) -> None:
        """Put in an adapter by hand; for tests and for programs that use the engine as a library."""
        if carrier is not None:
            self._carriers[carrier.describe().name] = carrier
        if payload is not None:
            self._payloads[payload.name] = payload
        if signer is not None:
            self._signers[signer.describe().name] = signer

    def add_scanner(self, name: str, scanner: Scanner) -> None:
        """Put in a malware scanner by hand, as ``add`` does with carriers and payloads."""
        self._scanners[name] = scanner

    def _context_for(self, name: str) -> AdapterContext:
        return replace(self._context, settings=self._settings.get(name, {}), others=self._settings)

    @staticmethod
    def _factory(group: str, name: str) -> Callable[[AdapterContext], Any]:
        found = _installed(group).get(name)
        if found is None:
            raise UnknownChannelError(
                f"no adapter {name!r} in {group}",
                hint=f"installed are: {', '.join(sorted(_installed(group))) or 'none'}",
            )
        factory: Callable[[AdapterContext], Any] = found.load()
        return factory


def _installed(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}
