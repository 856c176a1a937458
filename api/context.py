"""What the rooms of the service share in one process: settings, database, files, secrets, authorities.

    context = open_context(Settings(data=Path("/tmp/sealroad")))
    context.database, context.storage, context.vault, context.circles, context.workers

There is no global: the application, each worker and each test has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.config import Settings
from api.db import Database
from api.errors import ConfigurationError
from api.kit.bell import Bell
from api.kit.lines import Channel, Pipes
from api.kit.presence import Presence
from api.pki.circles import Circles
from api.pki.upkeep import Upkeep
from api.storage import Storage, open_storage
from api.vault import Vault
from certs.clock import Clock
from signer.forked import Limits
from signer.workers import Workers


@dataclass
class Context:
    """The shared parts."""

    settings: Settings
    database: Database
    storage: Storage
    vault: Vault
    circles: Circles
    upkeep: Upkeep
    presence: Presence
    workers: Workers
    """Who verifies files; processes are started when there is something to verify."""

    @property
    def clock(self) -> Clock:
        """The clock everything here reads."""
        return self.settings.clock

    def now(self) -> datetime:
        """Return the present moment, UTC."""
        return self.settings.clock.now()

    def close(self) -> None:
        """Let go of connections and files."""
        self.workers.close()
        self.circles.close()
        self.database.close()
        self.presence.close()


def open_context(settings: Settings) -> Context:
    """Open everything; makes the data directory (0700), the master key and the vault's root (0600) at the first start.

    Raises ConfigurationError or VaultError.
    """
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"the data directory cannot be made: {error.strerror}") from None
    vault = Vault.open(settings)
    circles = Circles(settings, vault)
    database, processes = Database(settings.database_url), settings.data / "processes"
    database.bell = Bell(Pipes(processes) if database.embedded else Channel(database.engine))
    return Context(
        settings=settings,
        database=database,
        storage=open_storage(settings.storage_address, data=settings.data),
        vault=vault,
        circles=circles,
        upkeep=Upkeep(circles, settings),
        presence=Presence(processes),
        workers=Workers(size=settings.verify_workers, limits=Limits(settings.verify_seconds, settings.verify_memory)),
    )
