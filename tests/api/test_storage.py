"""The contract of every document store, and a service whose documents are in a bucket.

The bucket is served over HTTP by a program that is not ours.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.config import Settings, from_environment
from api.context import open_context
from api.errors import ConfigurationError, PayloadTooLarge, ServiceUnavailable, StorageError
from api.storage import Storage, open_storage
from api.storage.s3 import S3Location, S3Storage
from tests.api.conftest import held, serving

CONTENT = [b"first ", b"", b"second \x00\xff"]
WHOLE = b"".join(CONTENT)
NAME = hashlib.sha256(WHOLE).hexdigest()
LATER = datetime.now(UTC) + timedelta(days=1)
BUCKET = "contracts"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL"):
            environment.delenv(name, raising=False)
        httpx.put(f"http://{host}:{port}/{BUCKET}", trust_env=False)
        yield f"http://{host}:{port}"
    server.stop()


def address(endpoint: str, prefix: str) -> str:
    return f"s3://{BUCKET}/{prefix}?endpoint={endpoint}&style=path"


@pytest.fixture(params=["directory", "s3", "s3 without a prefix"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "directory":
        return str(tmp_path / "objects")
    endpoint = request.getfixturevalue("endpoint")
    if request.param == "s3":
        return address(endpoint, f"prefix of/{tmp_path.name}".replace(" ", "%20"))
    httpx.put(f"{endpoint}/{tmp_path.name.replace('_', '-')}", trust_env=False)
    return f"s3://{tmp_path.name.replace('_', '-')}?endpoint={endpoint}&style=path"


@pytest.fixture
def storage(where: str, tmp_path: Path) -> Storage:
    return open_storage(where, data=tmp_path)


def keep(storage: Storage, chunks: list[bytes], **more: Any) -> str:
    with storage.receive(chunks, **more) as received:
        assert received.path.read_bytes() == b"".join(chunks)
        assert received.size == len(b"".join(chunks))
        storage.keep(received)
    assert not received.path.exists()
    return received.sha256


def test_what_was_kept_is_read(storage: Storage) -> None:
    storage.check()
    assert keep(storage, CONTENT) == NAME
    for _ in range(2):
        with storage.local(NAME) as path:
            assert path.read_bytes() == WHOLE
    assert keep(storage, CONTENT) == NAME, "the same object once more"
    empty = keep(storage, [])
    with storage.local(empty) as path:
        assert path.read_bytes() == b""


def test_digests_are_computed_on_the_way(storage: Storage) -> None:
    from certs import suites

    with storage.receive(CONTENT, digests=("sm3", "streebog256")) as received:
        assert received.digests == {name: suites.digest(name, WHOLE).hex() for name in ("sha256", "sm3", "streebog256")}


def test_what_was_received_and_not_kept_is_gone(storage: Storage) -> None:
    with storage.receive(CONTENT) as received:
        pass
    assert not received.path.exists()
    with pytest.raises(StorageError, match="missing"), storage.local(NAME):
        pass


def test_more_than_the_limit_is_refused(storage: Storage) -> None:
    with pytest.raises(PayloadTooLarge), storage.receive([b"12345", b"6"], limit=5):
        pass
    with storage.receive([b"12345"], limit=5) as received:
        assert received.size == 5


@pytest.mark.parametrize("name", ["", "..", "../" * 20, NAME.upper(), NAME + "0", "g" * 64, f"{NAME}\n"])
def test_nothing_but_a_digest_names_an_object(storage: Storage, name: str) -> None:
    with pytest.raises(StorageError), storage.local(name):
        pass


def test_scratch_is_gone_afterwards(storage: Storage) -> None:
    with storage.scratch("-x") as directory:
        (directory / "file").write_bytes(b"x")
    assert not directory.exists()


def test_the_sweep_takes_what_is_old_and_not_needed(storage: Storage) -> None:
    wanted, gone = keep(storage, [b"wanted"]), keep(storage, [b"not wanted"])
    assert storage.sweep([wanted], before=datetime.now(UTC) - timedelta(days=1)) == 0, "nothing is old yet"
    with storage.local(gone):
        pass
    assert storage.sweep([wanted], before=LATER) == 1
    with storage.local(wanted) as path:
        assert path.read_bytes() == b"wanted"
    with pytest.raises(StorageError), storage.local(gone):
        pass


# what only a store elsewhere can do ----------------------------------------------------------------------------------


@pytest.fixture
def remote(endpoint: str, tmp_path: Path) -> S3Storage:
    found = open_storage(address(endpoint, tmp_path.name), data=tmp_path)
    assert isinstance(found, S3Storage)
    return found


def test_an_object_that_changed_in_the_store_is_noticed(remote: S3Storage, tmp_path: Path) -> None:
    keep(remote, CONTENT)
    there = {"Bucket": BUCKET, "Key": f"{tmp_path.name}/{NAME[:2]}/{NAME[2:4]}/{NAME}.bin"}
    assert remote._client.get_object(**there)["Body"].read() == WHOLE
    remote._client.put_object(**there, Body=WHOLE[:-1] + b"\xfe")
    with pytest.raises(StorageError, match="not what was stored"), remote.local(NAME):
        pass
    assert list((tmp_path / "incoming").iterdir()) == []


def test_the_digest_goes_with_the_object(remote: S3Storage) -> None:
    """So that a store can refuse what arrived damaged (the one of these tests does not look)."""
    sent: list[str] = []
    remote._client.meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: sent.append(request.headers["x-amz-checksum-sha256"].decode())
    )
    keep(remote, CONTENT)
    assert sent == [base64.b64encode(bytes.fromhex(NAME)).decode()]


def test_the_sweep_leaves_what_is_not_ours(remote: S3Storage, tmp_path: Path) -> None:
    foreign = {"Bucket": BUCKET, "Key": f"{tmp_path.name}/ab/cd/readme.txt"}
    remote._client.put_object(**foreign, Body=b"x")
    keep(remote, CONTENT)
    assert remote.sweep([], before=LATER) == 1
    assert remote._client.get_object(**foreign)["Body"].read() == b"x"


def test_the_sweep_reads_the_age_again(remote: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(remote, CONTENT)
    monkeypatch.setattr(remote, "_age", lambda key: LATER)
    assert remote.sweep([], before=LATER) == 0


def test_a_store_that_does_not_answer_is_said_to(tmp_path: Path) -> None:
    storage = open_storage(f"s3://{BUCKET}?endpoint=http://127.0.0.1:9&style=path", data=tmp_path)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        for act in (storage.check, lambda: keep(storage, CONTENT), lambda: storage.local(NAME).__enter__()):
            with pytest.raises(ServiceUnavailable):
                act()


def test_a_bucket_that_is_not_there_is_said_to(endpoint: str, tmp_path: Path) -> None:
    storage = open_storage(f"s3://nowhere?endpoint={endpoint}&style=path", data=tmp_path)
    with pytest.raises(ServiceUnavailable):
        storage.check()
    with pytest.raises(ServiceUnavailable):
        keep(storage, CONTENT)


@pytest.mark.parametrize(
    "uri",
    [
        "s3:",
        "s3://",
        "s3:///prefix",
        "s3://user:secret@bucket",
        "s3://bucket:80/x",
        "s3://bucket/x#y",
        "s3://bucket?secret=x",
        "s3://bucket?endpoint=ftp://host",
        "s3://bucket?style=odd",
        "s3://bucket?region=a&region=b",
        "s3://bucket?",
        "s3://[bucket",
    ],
)
def test_addresses_that_are_none(uri: str, tmp_path: Path) -> None:
    if uri == "s3://bucket?":
        assert S3Location.parse(uri).bucket == "bucket"
        return
    with pytest.raises(ConfigurationError) as caught:
        open_storage(uri, data=tmp_path)
    assert "secret@" not in str(caught.value)


def test_the_address_comes_from_the_environment() -> None:
    found = from_environment({"SEALROAD_STORAGE": "s3://bucket/a/b/?region=eu-1"})
    assert S3Location.parse(found.storage_address) == S3Location("bucket", "a/b/", None, "eu-1", "auto")
    assert from_environment({"SEALROAD_DATA": "/srv/x"}).storage_address == "/srv/x/objects"


def test_a_contract_is_signed_with_its_documents_in_a_bucket(endpoint: str, tmp_path: Path) -> None:
    settings = replace(Settings(data=tmp_path / "data", port=0), storage=address(endpoint, "service"))
    with serving(settings) as service:
        user = service.user()
        contract = user.sent(held("ecdsa-p256", name="王伟", locale="zh"))
        assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"
        done = user.wait_for_state(contract, "completed", "failed")
        assert done["state"] == "completed"
        assert user.content(done).startswith(b"%PDF-")
        assert service.http.get("/readyz").status_code == 200
    assert not (tmp_path / "data" / "objects").exists()
    assert list((tmp_path / "data" / "incoming").iterdir()) == []
    with closing(open_context(settings)) as context, context.storage.local(done["documents"][0]["revision_sha256"]):
        pass


def test_ready_means_that_documents_can_be_had(tmp_path: Path) -> None:
    with serving(Settings(data=tmp_path / "data", port=0)) as service:
        assert service.http.get("/readyz").status_code == 200
        (tmp_path / "data" / "objects").rename(tmp_path / "away")
        answer = service.http.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "service-unavailable")
