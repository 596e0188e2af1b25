"""The way there: OSCI over HTTP(S) with the standard library, streamed both ways.

One connection an order. A kept-alive connection that dies while an order is under way leaves open whether
it was carried out, and that question costs more than a handshake.
"""

import http.client
import ssl
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from adapters.ego_mail.osci.errors import HttpStatusError, OutcomeUnknownError, UnreachableError
from adapters.ego_mail.osci.streams import CHUNK, Spool, closed_on_error
from adapters.ego_mail.osci.wire import Outgoing

OK = 200
SERVER_ERROR = 500


class Transport(Protocol):
    """Carries one order and brings its answer."""

    def exchange(self, uri: str, message: Outgoing, *, limit: int | None = None) -> Spool:
        """Send ``message`` and return the answer, of at most ``limit`` bytes.

        Raises UnreachableError where nothing was sent, OutcomeUnknownError where it broke later,
        HttpStatusError where the web server refused.
        """
        ...


class HttpTransport:
    """OSCI over http.client."""

    def __init__(
        self,
        *,
        timeout: float = 120.0,
        tls: ssl.SSLContext | None = None,
        proxy: tuple[str, int] | None = None,
        folder: Path | None = None,
    ) -> None:
        """``timeout`` in seconds for each read or write; ``tls`` defaults to the system's trust."""
        self._timeout = timeout
        self._tls = tls
        self._proxy = proxy
        self._folder = folder

    def exchange(self, uri: str, message: Outgoing, *, limit: int | None = None) -> Spool:
        """Send ``message`` to ``uri`` and return the answer's body."""
        target = urlsplit(uri)
        connection = self._connect(uri)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        try:
            self._open(connection, uri)
            return self._post(connection, path, message, limit, uri)
        finally:
            connection.close()

    def _connect(self, uri: str) -> http.client.HTTPConnection:
        target = urlsplit(uri)
        if target.scheme not in {"http", "https"} or target.hostname is None:
            raise UnreachableError(f"not an http(s) address: {uri!r}", hint="check the intermediary's URI")
        host, port = self._proxy or (target.hostname, target.port)
        connection: http.client.HTTPConnection
        if target.scheme == "https":
            context = self._tls or ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        if self._proxy is not None:
            connection.set_tunnel(target.hostname, target.port)
        return connection

    @staticmethod
    def _open(connection: http.client.HTTPConnection, uri: str) -> None:
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(
                f"no connection: {error}", where=uri, hint="is the address right, and the network up?"
            ) from error

    def _post(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        message: Outgoing,
        limit: int | None,
        uri: str,
    ) -> Spool:
        answer = Spool(limit=limit, folder=self._folder)
        with closed_on_error(answer.close):
            try:
                connection.putrequest("POST", path)
                # The MIME headers travel inside the body, so the outer type is just XML.
                connection.putheader("Content-Type", "text/xml; charset=UTF-8")
                connection.putheader("Content-Length", str(message.size))
                connection.putheader("Connection", "close")
                connection.endheaders()
                self._send(connection, message)
                response = connection.getresponse()
                while piece := response.read(CHUNK):
                    answer.write(piece)
            except (OSError, http.client.HTTPException) as error:
                raise OutcomeUnknownError(
                    f"the connection broke: {error or type(error).__name__}",
                    where=uri,
                    hint="ask for the message's process card to learn whether it arrived",
                ) from error
        return self._checked(response, answer, uri)

    @staticmethod
    def _send(connection: http.client.HTTPConnection, message: Outgoing) -> None:
        try:
            for piece in message.chunks():
                connection.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses early (413) answers and closes; its answer says more than the pipe.
            return

    @staticmethod
    def _checked(response: http.client.HTTPResponse, answer: Spool, uri: str) -> Spool:
        is_message = b"mime-version" in answer.read_at(0, 512).lower()
        if response.status == OK or (response.status >= SERVER_ERROR and is_message):
            return answer
        answer.close()
        if response.status >= SERVER_ERROR:
            raise OutcomeUnknownError(f"HTTP {response.status} {response.reason}", where=uri)
        raise HttpStatusError(response.status, response.reason, where=uri)
