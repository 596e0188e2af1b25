"""The port for background work. Jobs are enqueued in the caller's transaction and run at least once."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of background work. Its handler must bear being called again with the same arguments."""

    id: str
    authority_id: str
    kind: str
    arguments: Mapping[str, Any]
    attempts: int
    """How often it has been begun before."""


class JobQueue(Protocol):
    """Takes jobs in the transaction that makes them necessary."""

    def enqueue(
        self,
        connection: Connection,
        kind: str,
        arguments: Mapping[str, Any],
        *,
        authority_id: str,
        key: str | None = None,
        due: datetime | None = None,
    ) -> None:
        """Add a job that commits with ``connection``; with ``key`` at most one such job waits per kind."""
        ...


Handler = Callable[[Job], None]
"""Does work that reaches out of the database; raises to have it tried again."""

InsideHandler = Callable[[Connection, Job], None]
"""Does work that happens in one transaction and nowhere else; raises to have it tried again."""

Exhausted = Callable[[Connection, Job, str], None]
"""Told, in a transaction, of a job that has used up its attempts; opens an incident."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """What is done for every kind of job, on whatever dispatcher."""

    outside: Mapping[str, Handler]
    exhausted: Exhausted
    inside: Mapping[str, InsideHandler] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a kind of work is tried again."""

    attempts: int
    first_delay: timedelta
    longest_delay: timedelta

    def delay(self, attempts: int, source: random.Random) -> timedelta:
        """Return the wait after ``attempts`` failures: doubling, capped, plus up to a quarter of jitter."""
        plain: timedelta = min(self.first_delay * 2 ** max(attempts - 1, 0), self.longest_delay)
        return plain * (1 + source.random() / 4)


DEFAULT_RETRY = RetryPolicy(5, timedelta(seconds=5), timedelta(minutes=15))
RETRY: Mapping[str, RetryPolicy] = {
    "send": RetryPolicy(8, timedelta(seconds=10), timedelta(hours=1)),
    "work": RetryPolicy(4, timedelta(seconds=5), timedelta(minutes=10)),
}


def policy_for(kind: str) -> RetryPolicy:
    """Return the retry policy of a kind of work."""
    return RETRY.get(kind, DEFAULT_RETRY)
