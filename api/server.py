"""Run the application: in the foreground for `sealroad serve`, or in a thread for whoever needs a real server.

with running(Settings(data=tmp, port=0)) as address:      # "http://127.0.0.1:41237"
    httpx.get(f"{address}/healthz")
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

import uvicorn

from api.app import create_app
from api.config import Settings
from api.errors import ConfigurationError

GRACE = 30
"""Seconds that requests in progress get when the server is told to stop."""


class _Server(uvicorn.Server):
    """A server that says when it is ready and ends with exit code 0 when it is told to stop."""

    on_ready: Callable[[], None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM stop the server in order, and count that as a good end: they are how it is stopped."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {name: signal.signal(name, self.handle_exit) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and self.on_ready is not None:
            self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        state = getattr(self.config.app, "state", None)
        if state is not None:
            state.stopping = True  # streams end, which would else keep the server for as long as they last
        await super().shutdown(sockets=sockets)


def serve(settings: Settings, on_ready: Callable[[str], None]) -> int:
    """Serve until a signal comes; return the exit code. `on_ready` gets the address."""
    listener = _listen(settings)
    server, address = _server(settings), _address(listener)
    server.on_ready = lambda: on_ready(address)
    server.run(sockets=[listener])
    return 0 if server.started else 2


@contextlib.contextmanager
def running(settings: Settings, *, timeout: float = 30) -> Iterator[str]:
    """Serve in a thread while the block runs; gives the address. Raises ConfigurationError if it does not start."""
    listener = _listen(settings)
    server = _server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sealroad-server", daemon=True)
    thread.start()
    limit = time.monotonic() + timeout
    try:
        while not server.started:
            if not thread.is_alive() or time.monotonic() > limit:
                raise ConfigurationError("the server did not start; the log says why")
            time.sleep(0.01)
        yield _address(listener)
    finally:
        server.should_exit = True
        thread.join(timeout=GRACE + 5)
        listener.close()


def _server(settings: Settings) -> _Server:
    config = uvicorn.Config(
        create_app(settings),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=64 * 1024,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=15,
    )
    return _Server(config)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol has to be named: asyncio sets TCP_NODELAY only where it sees IPPROTO_TCP, and without it every answer
    # waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(256)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(
            f"cannot listen on {settings.host} port {settings.port}: {reason}",
            hint="choose another --port, or 0 for any",
        ) from None
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
