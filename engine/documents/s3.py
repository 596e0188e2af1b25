"""Blobs in an S3-compatible store, with a folder on local disk for what needs files (extra ``s3``)."""

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from engine.documents.blobs import Blob
from engine.documents.errors import (
    DocumentMissingError,
    DocumentStoreFullError,
    DocumentStoreUnreachableError,
)
from engine.errors import EnvironmentFaultError

_CHUNK = 1 << 20
_MISSING = ("NoSuchKey", "404", "NotFound")


class ExtraMissingError(EnvironmentFaultError):
    """The S3 store needs the extra ``s3``."""


class S3BlobStore:
    """Objects named ``PREFIX/ab/abcd…`` in one bucket; reading goes through a local cache."""

    def __init__(self, client: Any, bucket: str, prefix: str, cache: Path) -> None:
        """Use ``bucket`` through a boto3 S3 ``client``; ``cache`` may be emptied at any time."""
        self._client = client
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._cache = cache

    def put(self, source: BinaryIO) -> Blob:
        """Store the stream's content; the store itself compares the SHA-256 before it accepts."""
        from botocore.exceptions import BotoCoreError, ClientError

        with tempfile.TemporaryFile() as spool:
            digest, size = hashlib.sha256(), 0
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                spool.write(chunk)
            spool.seek(0)
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._key(digest.hexdigest()),
                    Body=spool,
                    ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
                )
            except (BotoCoreError, ClientError) as error:
                raise DocumentStoreFullError(
                    f"the document store does not take the content: {error}",
                    where=f"s3://{self._bucket}",
                    hint="check the bucket, its quota and the credentials; nothing was changed",
                ) from error
        return Blob(digest.hexdigest(), size)

    def put_bytes(self, content: bytes) -> Blob:
        """Store ``content``."""
        return self.put(BytesIO(content))

    def open(self, sha256: str) -> BinaryIO:
        """Open stored content for reading."""
        return self.local_path(sha256).open("rb")

    def original(self, sha256: str) -> BinaryIO:
        """Open the object itself, past the cache."""
        with ExitStack() as stack:
            spool = stack.enter_context(tempfile.TemporaryFile())
            for chunk in self._chunks(sha256):
                spool.write(chunk)
            spool.seek(0)
            stack.pop_all()  # whoever asked closes it
        return spool

    def local_path(self, sha256: str) -> Path:
        """Return the path of a local copy, fetched where it is not there yet and checked against its name."""
        path = self._cache / sha256[:2] / sha256
        if not path.is_file():
            self._fetch(sha256, path)
        return path

    def delete(self, sha256: str) -> None:
        """Remove the object and its local copy."""
        with self._asked(sha256):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(sha256))
        (self._cache / sha256[:2] / sha256).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """Yield the digests of all objects."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}/" if self._prefix else ""
        )
        with self._asked():
            for page in pages:
                for item in page.get("Contents", ()):
                    yield str(item["Key"]).rsplit("/", 1)[-1]

    def stored_at(self, sha256: str) -> datetime:
        """Return when the content was stored last, in UTC."""
        with self._asked(sha256):
            head = self._client.head_object(Bucket=self._bucket, Key=self._key(sha256))
        stored: datetime = head["LastModified"]
        return stored.astimezone(UTC)

    def _key(self, sha256: str) -> str:
        name = f"{sha256[:2]}/{sha256}"
        return f"{self._prefix}/{name}" if self._prefix else name

    @contextmanager
    def _asked(self, sha256: str = "") -> Iterator[None]:
        """Tell content that is not there from a store that does not answer."""
        from botocore.exceptions import BotoCoreError, ClientError

        where = f"s3://{self._bucket}"
        try:
            yield
        except ClientError as error:
            if sha256 and error.response.get("Error", {}).get("Code") in _MISSING:
                raise DocumentMissingError(
                    f"no content {sha256[:12]}… in the document store", where=where
                ) from error
            raise _unreachable(error, where) from error
        except BotoCoreError as error:
            raise _unreachable(error, where) from error

    def _chunks(self, sha256: str) -> Iterator[bytes]:
        with self._asked(sha256):
            body = self._client.get_object(Bucket=self._bucket, Key=self._key(sha256))["Body"]
            yield from body.iter_chunks(_CHUNK)

    def _fetch(self, sha256: str, path: Path) -> None:
        name: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, made = tempfile.mkstemp(dir=path.parent)
            name, digest = Path(made), hashlib.sha256()
            with os.fdopen(handle, "wb") as target:
                for chunk in self._chunks(sha256):
                    digest.update(chunk)
                    target.write(chunk)
            if digest.hexdigest() != sha256:
                raise DocumentMissingError(
                    f"the store gives other content under {sha256[:12]}…", where=f"s3://{self._bucket}"
                )
            name.replace(path)
        except OSError as error:
            raise DocumentStoreFullError(
                f"cannot write a local copy: {error.strerror}",
                where=str(self._cache),
                hint="free disk space; the folder may be emptied at any time",
            ) from error
        finally:
            if name is not None:
                name.unlink(missing_ok=True)


def _unreachable(error: Exception, where: str) -> DocumentStoreUnreachableError:
    return DocumentStoreUnreachableError(
        f"the document store does not answer: {error}",
        where=where,
        hint="check the network, the bucket and the credentials; nothing was changed",
    )


def open_s3(bucket: str, prefix: str, cache: Path, endpoint: str | None, region: str | None) -> S3BlobStore:
    """Return the store in ``bucket``; credentials come from where boto3 looks for them.

    Raises ExtraMissingError where boto3 is not installed.
    """
    try:
        import boto3
    except ImportError as error:
        raise ExtraMissingError(
            "documents are to lie in S3, but boto3 is not installed", hint="pip install 'dienstweg[s3]'"
        ) from error
    client = boto3.client("s3", endpoint_url=endpoint, region_name=region)
    return S3BlobStore(client, bucket, prefix, cache)
