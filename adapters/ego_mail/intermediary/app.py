"""The intermediary behind a web server (ASGI). Needs the extra ``intermediary`` (starlette, uvicorn)."""

from collections.abc import Iterator

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.osci.answering import Answer
from adapters.ego_mail.osci.errors import LimitExceededError
from adapters.ego_mail.osci.streams import Spool

TOO_LARGE = "9904"
NOTICE = "Dienstweg trial intermediary (OSCI-Transport 1.2). For tests and trial, not for production.\n"


def create_app(service: IntermediaryService) -> Starlette:
    """Return the ASGI application over a service."""

    async def order(request: Request) -> Response:
        spool = await _receive(request, service.settings.max_message_bytes)
        if spool is None:
            answer = service.refuse(TOO_LARGE)
        else:
            answer = await run_in_threadpool(service.handle, spool)
        return StreamingResponse(
            _body(answer),
            media_type="text/xml",
            headers={"Content-Length": str(answer.outgoing.size)},
        )

    async def notice(_request: Request) -> Response:
        return PlainTextResponse(NOTICE)

    return Starlette(
        routes=[
            Route("/{path:path}", order, methods=["POST"]),
            Route("/{path:path}", notice, methods=["GET"]),
        ]
    )


async def _receive(request: Request, limit: int) -> Spool | None:
    """Read the body; None where it is too large. The rest is read and thrown away, to be able to answer."""
    spool: Spool | None = Spool(limit=limit)
    try:
        async for piece in request.stream():
            if spool is None:
                continue
            try:
                spool.write(piece)
            except LimitExceededError:
                spool.close()
                spool = None
    except ClientDisconnect:
        if spool is not None:
            spool.close()
        raise
    return spool


def _body(answer: Answer) -> Iterator[bytes]:
    try:
        yield from answer.outgoing.chunks()
    finally:
        answer.close()
