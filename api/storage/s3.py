"""Documents in a bucket of an S3-compatible store: `PREFIX/ab/cd/abcd….bin`.

    location = S3Location.parse("s3://contracts/sealroad?endpoint=https://s3.example&region=eu-1")
    storage = S3Storage(location, Path("/var/lib/sealroad/incoming"))

A PUT of S3 is atomic: an object is there whole or not at all. Its SHA-256 goes with it, so the store refuses what
arrived damaged, and every reader computes it again. Credentials come from where the AWS tools look for them: the
environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), a file (AWS_SHARED_CREDENTIALS_FILE), the role of the machine;
never from the address.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from api.errors import ConfigurationError, ServiceUnavailable, StorageError
from api.storage.base import Received, check_name
from api.storage.incoming import Incoming

CHUNK: Final = 1 << 20
MAX_OBJECT: Final = 5 * 2**30
"""Octets of one PUT (Amazon S3 API reference, PutObject); a document is far smaller."""
ABSENT: Final = frozenset({"NoSuchKey", "404", "NotFound"})
HINT: Final = "s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION&style=path"


@dataclass(frozen=True)
class S3Location:
    """Where the objects are."""

    bucket: str
    prefix: str
    """Ends with "/" unless it is empty."""
    endpoint: str | None
    """None: Amazon's own, by region."""
    region: str | None
    style: str
    """"auto", "path" (HOST/BUCKET) or "virtual" (BUCKET.HOST)."""

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read an address. Raises ConfigurationError."""
        try:
            parts = urlsplit(uri)
            query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
            bucket, foreign = parts.hostname or "", parts.port is not None
        except ValueError:
            raise ConfigurationError("the address of the document store cannot be read", hint=HINT) from None
        unknown = sorted(set(query) - {"endpoint", "region", "style"})
        if parts.scheme != "s3" or not bucket or bucket != parts.netloc or foreign or parts.fragment or unknown:
            what = f": {', '.join(unknown)} is not known" if unknown else ""
            raise ConfigurationError(f"this is not the address of a bucket{what}", hint=HINT)
        if any(len(values) > 1 for values in query.values()):
            raise ConfigurationError("the address of the bucket says something twice", hint=HINT)
        style = query.get("style", ["auto"])[0]
        endpoint = query.get("endpoint", [None])[0]
        if style not in {"auto", "path", "virtual"}:
            raise ConfigurationError("style is auto, path or virtual", hint=HINT)
        if endpoint is not None and urlsplit(endpoint).scheme not in {"http", "https"}:
            raise ConfigurationError("the endpoint is an http or https address", hint=HINT)
        prefix = unquote(parts.path).strip("/")
        return cls(bucket, f"{prefix}/" if prefix else "", endpoint, query.get("region", [None])[0], style)


class S3Storage:
    """A `Storage` in a bucket; files in progress are in a directory of this machine.

    Raises ConfigurationError where the client cannot be made. Whether the store answers is asked by `check`.
    """

    def __init__(self, location: S3Location, incoming: Path) -> None:
        self._location = location
        self._incoming = Incoming(incoming)
        self._client = _client(location)

    def receive(
        self, chunks: Iterable[bytes], *, limit: int | None = None, digests: tuple[str, ...] = ("sha256",)
    ) -> AbstractContextManager[Received]:
        """See `Storage.receive`."""
        return self._incoming.receive(chunks, limit=min(limit or MAX_OBJECT, MAX_OBJECT), digests=digests)

    def keep(self, received: Received) -> None:
        """See `Storage.keep`. An object is written again even where it is there: that renews its age for `sweep`."""
        checksum = base64.b64encode(bytes.fromhex(received.sha256)).decode()
        with received.path.open("rb") as file, self._answers():
            self._client.put_object(
                Bucket=self._location.bucket,
                Key=self._key(received.sha256),
                Body=file,
                ContentLength=received.size,
                ContentType="application/octet-stream",
                ChecksumSHA256=checksum,
            )

    @contextlib.contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        """See `Storage.local`: a copy that is gone when the block ends."""
        with self._incoming.file("down-") as path:
            digest = hashlib.sha256()
            with self._answers(sha256), path.open("wb") as file:
                answer = self._client.get_object(Bucket=self._location.bucket, Key=self._key(sha256))
                for chunk in answer["Body"].iter_chunks(CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                raise StorageError(f"object {sha256} is not what was stored")
            yield path

    def scratch(self, suffix: str = "") -> AbstractContextManager[Path]:
        """See `Storage.scratch`."""
        return self._incoming.scratch(suffix)

    def sweep(self, needed: Iterable[str], *, before: datetime) -> int:
        """See `Storage.sweep`. The age is read again right before an object goes: somebody may just have kept it."""
        wanted, gone = set(needed), 0
        with self._answers():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._location.bucket, Prefix=self._location.prefix
            )
            for key in (entry["Key"] for page in pages for entry in page.get("Contents", ())):
                name = key.rpartition("/")[2].removesuffix(".bin")
                if name in wanted or not _is_ours(key, name, self._location.prefix):
                    continue
                if self._age(key) < before:
                    self._client.delete_object(Bucket=self._location.bucket, Key=key)
                    gone += 1
        self._incoming.clear(before=before.astimezone(UTC).timestamp())
        return gone

    def check(self) -> None:
        """See `Storage.check`."""
        with self._answers():
            self._client.head_bucket(Bucket=self._location.bucket)

    def _age(self, key: str) -> datetime:
        found: datetime = self._client.head_object(Bucket=self._location.bucket, Key=key)["LastModified"]
        return found

    def _key(self, sha256: str) -> str:
        check_name(sha256)
        return f"{self._location.prefix}{sha256[:2]}/{sha256[2:4]}/{sha256}.bin"

    @contextlib.contextmanager
    def _answers(self, sha256: str | None = None) -> Iterator[None]:
        """Say what went wrong in our words: an object that is not there, or a store that does not do what it should."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if sha256 is not None and code in ABSENT:
                raise StorageError(f"object {sha256} is missing from the document store") from None
            raise ServiceUnavailable(f"the document store refused: {code or 'without a code'}") from error
        except BotoCoreError as error:
            raise ServiceUnavailable("the document store does not answer") from error


def _is_ours(key: str, name: str, prefix: str) -> bool:
    return key == f"{prefix}{name[:2]}/{name[2:4]}/{name}.bin" and len(name) == 64


def _client(location: S3Location) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise ConfigurationError("documents in S3 need the package boto3", hint="pip install 'sealroad[s3]'") from None
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=32,
        s3={"addressing_style": location.style},
    )
    try:
        session = boto3.session.Session(region_name=location.region)
        region = session.region_name or "us-east-1"  # what stores without regions are asked for
        return session.client("s3", endpoint_url=location.endpoint, region_name=region, config=config)
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"the document store cannot be used: {error}", hint=HINT) from None
