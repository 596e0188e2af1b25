"""Content-addressed document store."""

from engine.documents.blobs import Blob, BlobStore, FolderBlobStore, StoredDocument
from engine.documents.errors import (
    DocumentMissingError,
    DocumentStoreFullError,
    DocumentStoreUnreachableError,
)

__all__ = [
    "Blob",
    "BlobStore",
    "DocumentMissingError",
    "DocumentStoreFullError",
    "DocumentStoreUnreachableError",
    "FolderBlobStore",
    "StoredDocument",
]
