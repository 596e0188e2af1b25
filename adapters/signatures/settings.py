"""What ``[adapters.signatures]`` in ``dienstweg.toml`` says."""

import os
from collections.abc import Mapping
from typing import Any

from cryptography import x509

from adapters.ego_mail.osci.keys import KeyPair, load_certificates, load_pkcs12
from adapters.signatures.errors import SignatureSettingsError
from engine.exchange.ports import AdapterContext

TABLE = "[adapters.signatures]"


class SignatureSettings:
    """Qualified issuers, and keys in files; paths start at the installation's folder."""

    def __init__(self, context: AdapterContext) -> None:
        """Look at nothing yet."""
        self._home = context.home
        self._table: Mapping[str, Any] = context.others.get("signatures", {})

    def issuers(self) -> list[x509.Certificate]:
        """Return the qualified issuers, none where none is configured.

        Raises SignatureSettingsError or KeyFileError.
        """
        if "qualified" not in self._table:
            return []
        path = self._home / str(self._table["qualified"])
        if not path.exists():
            raise SignatureSettingsError("qualified: no such file or folder", where=str(path))
        files = [path] if path.is_file() else sorted(path.iterdir())
        wanted = [each for each in files if each.suffix in (".pem", ".cer", ".crt")]
        return [certificate for each in wanted for certificate in load_certificates(each)]

    def key(self, authority_id: str) -> KeyPair | None:
        """Return an authority's key in a file, if it has one; raise SignatureSettingsError, KeyFileError."""
        table = self._table.get("keys", {}).get(authority_id)
        if table is None:
            return None
        variable = table.get("password_env")
        if "file" not in table or (variable is not None and variable not in os.environ):
            missing = "file is missing" if "file" not in table else f"the variable {variable} is not set"
            raise SignatureSettingsError(missing, where=f"{TABLE} keys.{authority_id}")
        password = os.environ[variable] if variable is not None else None
        return load_pkcs12(self._home / str(table["file"]), password)
