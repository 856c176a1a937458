"""`signer.sandbox` for a service with threads: a few processes that are kept, and fork for every file.

    workers = Workers(size=2, limits=Limits(20, 1 << 30))
    report = workers.verify(data, name="contract.pdf", trust=store, clock=clock)     # from any thread
    workers.close()

A process is started when it is first needed and does nothing but fork: each file is verified in a fork that ends with
it, under the limits, so that one file cannot reach the next. A process that does not answer is replaced.
"""

from __future__ import annotations

import hashlib
import queue
from dataclasses import fields
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from certs.clock import Clock
from signer.errors import VerifierBusy
from signer.forked import ChildFault, Fork, LimitReached, Limits
from signer.limited import Child
from signer.report import Report
from signer.sandbox import MEMORY, SECONDS, About, believed, judge, preload, unfinished
from signer.verification.setting import VerifyOptions
from signer.wire import decode, encode

if TYPE_CHECKING:
    from certs.trust import TrustStore

SIZE = 2
GRACE = 5
"""Seconds in which a process must have ended its fork, said so, and taken in the file."""
PATIENCE = 30
"""Seconds that a file waits for its turn; more would tie up the threads of the service."""
HELD = ("fetch", "recipient")
"""Options that no other process is given."""
ROOM = 4 << 30
"""Octets of address space of the processes that fork: they hold a file while it is verified."""


class Workers:
    """So many verifications at a time; the others wait."""

    def __init__(self, *, size: int = SIZE, limits: Limits | None = None) -> None:
        self._limits = limits or Limits(SECONDS, MEMORY)
        self._children = [
            Child("signer.workers:answer", seconds=self._limits.seconds + GRACE, memory=max(ROOM, self._limits.memory))
            for _ in range(max(size, 1))
        ]
        self._free: queue.LifoQueue[Child] = queue.LifoQueue()
        for child in reversed(self._children):
            self._free.put(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def verify(
        self,
        data: bytes,
        *,
        name: str,
        trust: TrustStore,
        clock: Clock,
        at: datetime | None = None,
        options: VerifyOptions | None = None,
        content: bytes | None = None,
    ) -> Report:
        """Return the report on a file; nothing is fetched.

        Raises EncryptedPDF, UnreadableFile and VerifierBusy, nothing else.
        """
        now = clock.now()
        about = About.of(data, name, now, at, trust)
        wanted = options or VerifyOptions()
        if wanted.fetch is not None or wanted.recipient is not None:
            raise ValueError("a worker fetches nothing and holds no keys")
        parts = (encode(trust), content or b"", data)
        header = {
            "name": name,
            "now": now.isoformat(),
            "at": at.isoformat() if at else None,
            "sizes": [len(part) for part in parts],
            "detached": content is not None,
            "options": {item.name: getattr(wanted, item.name) for item in fields(wanted) if item.name not in HELD},
            "limits": [self._limits.seconds, self._limits.memory],
        }
        try:
            child = self._free.get(timeout=PATIENCE)
        except queue.Empty:
            raise VerifierBusy("other files are being verified") from None
        try:
            said = child.ask(header, b"".join(parts))
        except LimitReached as error:
            return unfinished(about, "limits", str(error))
        except ChildFault as error:
            return unfinished(about, "crashed", str(error))
        finally:
            self._free.put(child)
        if said[:1] == b"{":
            return believed(said, about)
        code, _, detail = said.decode("utf-8", "replace").partition(" ")
        return unfinished(about, "limits" if code == "limits" else "crashed", detail)

    def close(self) -> None:
        """End the processes."""
        for child in self._children:
            child.close()


# -- in the process that forks ------------------------------------------------------------------------


def answer(header: dict[str, Any], body: bytes) -> bytes:
    """Verify one file in a fork; the task of the processes."""
    from certs.trust import TrustStore

    trust, content, data = _parts(body, header["sizes"])
    at = datetime.fromisoformat(header["at"]) if header["at"] else None
    now = datetime.fromisoformat(header["now"])
    options = VerifyOptions(**header["options"])
    preload(several=True)
    store = _store(TrustStore, trust)

    def work(_: object) -> bytes:
        detached = content if header["detached"] else None
        return judge(data, header["name"], store, at, now, options, detached)

    try:
        return Fork(work, Limits(*header["limits"])).result()
    except LimitReached as error:
        return f"{'crashed' if error.crashed else 'limits'} {error}".encode()
    except ChildFault as error:
        return f"crashed {error}".encode()


def _parts(body: bytes, sizes: list[int]) -> list[bytes]:
    out, at = [], 0
    for size in sizes:
        out.append(body[at : at + size])
        at += size
    return out


_stores: dict[bytes, TrustStore] = {}
"""The last store by its octets: it rarely changes from one file to the next."""


def _store(kind: type[TrustStore], octets: bytes) -> TrustStore:
    key = hashlib.sha256(octets).digest()
    if key not in _stores:
        _stores.clear()
        _stores[key] = decode(kind, octets)
    return _stores[key]
