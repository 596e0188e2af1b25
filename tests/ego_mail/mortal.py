"""A trial intermediary in a process of its own that dies at one of its orders, as in a power cut.

``python -m tests.ego_mail.mortal FOLDER PORT ORDER WHEN``: at the ORDER-th order (0: never) it kills itself,
WHEN it has not looked at it yet (``before``) or has carried it out but not answered (``after``).
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from cryptography import x509

from adapters.ego_mail.intermediary.app import create_app
from adapters.ego_mail.intermediary.cases import IntermediarySettings
from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.intermediary.serving import make_keys
from adapters.ego_mail.osci.client import Identity
from adapters.ego_mail.osci.trust import TrustStore
from engine.clock import TurnedClock
from engine.identifiers import RandomIds
from tests.osci.pki import NOW

Send = Callable[[dict[str, Any]], Awaitable[None]]


def mortal(app: Any, order: int, when: str) -> Any:
    seen = 0

    async def serve(scope: dict[str, Any], receive: Any, send: Send) -> None:
        nonlocal seen
        seen += 1
        fatal = seen == order
        if fatal and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)

        async def answer(message: dict[str, Any]) -> None:
            if fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            await send(message)

        await app(scope, receive, answer)

    return serve


def main(folder: Path, port: int, order: int, when: str) -> None:
    clock = TurnedClock(NOW + timedelta(hours=3))
    keys = make_keys(folder / "operator", clock)
    trusted = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    service = IntermediaryService(
        folder / "mortal",
        Identity(keys.signature.signer(), keys.cipher.decrypter()),
        clock=clock,
        ids=RandomIds(),
        settings=IntermediarySettings(trust=TrustStore([trusted])),
    )
    config = uvicorn.Config(
        mortal(create_app(service), order, when),
        host="127.0.0.1",
        port=port,
        ssl_certfile=str(folder / "tls.pem"),
        ssl_keyfile=str(folder / "tls.key"),
        log_level="warning",
        ws="none",
        lifespan="off",
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
