"""Settings of one process of the service.

    settings = Settings(data=Path("/var/lib/sealroad"))
    settings.database_url        # "sqlite:////var/lib/sealroad/sealroad.sqlite3"

Everything has a default, so that `sealroad serve` works on an empty machine. Settings come from the command line
or from the environment (`SEALROAD_…`, see `from_environment`); the master key comes from where `master_key` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from api.errors import ConfigurationError
from certs.clock import Clock, SystemClock
from certs.errors import TimeStampError

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """What one process needs to know. Sizes in octets."""

    data: Path
    """The data directory: documents, keys, and the SQLite database unless `database` names another."""
    database: str | None = None
    """An SQLAlchemy URL; None means SQLite in the data directory."""
    storage: str | None = None
    """Where documents are: a directory, or "s3://BUCKET/PREFIX?endpoint=…" (docs/storage.md); None means `objects` in
    the data directory."""
    host: str = "127.0.0.1"
    port: int = 8080
    """0 picks a free port."""
    public_url: str | None = None
    """How others reach this service; goes into certificates as CRL and issuer addresses."""
    master_key_provider: str | None = None
    """Where the master key is: "file:PATH", "env:NAME", "pkcs11:…" or "command:PATH" (docs/keys.md); None means
    `master.key` in the data directory."""
    previous_master_key: str | None = None
    """The master key that `sealroad master-key rotate` moves away from; still opens what is under it."""
    max_upload: int = 50 * MEBIBYTE
    """Largest document."""
    max_pages: int = 5000
    verify_seconds: int = 20
    """How long the verification of one file may take."""
    verify_memory: int = 1024 * MEBIBYTE
    """Address space that the verification of one file may use."""
    verify_workers: int = 2
    """Files verified at a time in one serving process."""
    max_body: int = 2 * MEBIBYTE
    """Largest request body that is not an upload."""
    signature_request_life: timedelta = timedelta(minutes=30)
    """How long a party has to hand back a signature value."""
    contract_life: timedelta = timedelta(days=90)
    """How long a contract may be signed after it was sent, unless it says so itself."""
    idempotency_life: timedelta = timedelta(hours=48)
    """How long the answer to a request with Idempotency-Key is kept."""
    request_lease: timedelta = timedelta(seconds=60)
    """After this a request with Idempotency-Key that never ended may be taken over."""
    job_lease: timedelta = timedelta(seconds=30)
    """After this another worker may take over the jobs of a worker that has gone silent."""
    job_threads: int = 2
    """Jobs that one worker runs at a time."""
    rate_limit: int = 6000
    """Requests in a minute that one API key may make of this process; 0: any number."""
    rate_limit_tenant: int = 12_000
    """Requests in a minute of all keys of a tenant together; 0: any number."""
    worker: bool = True
    """Run a job worker inside the serving process."""
    circle_organisation: str = "Sealroad closed circle"
    """Organisation in the names of the built-in authorities; they call themselves closed-circle on purpose."""
    circle_country: str | None = None
    circle_partitions: int = 1
    """Into how many revocation lists the certificates of a new circle are divided."""
    tsa_time: str = "unchecked"
    """What must vouch for the clock before a time-stamp: "unchecked" (nothing), "kernel" (its NTP or PTP state), or
    "ntp:" and several time servers, as in "ntp:a.example,b.example,c.example"."""
    own_check: int = 1
    """One in so many OCSP answers and time-stamps is verified before it leaves, where a suite allows less than every
    one (decision 16)."""
    checkpoint_interval: timedelta | None = timedelta(hours=1)
    """How old the last checkpoint of an audit log may be when something has happened since; None: none is made."""
    clock: Clock = field(default_factory=SystemClock)

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database or f"sqlite:///{self.data / 'sealroad.sqlite3'}"

    @property
    def storage_address(self) -> str:
        """Where documents are."""
        return self.storage or str(self.data / "objects")

    @property
    def embedded(self) -> bool:
        """Whether the database is a file of ours, which may be migrated without asking."""
        return self.database_url.startswith("sqlite")

    @property
    def master_key(self) -> str:
        """Where the master key is."""
        return self.master_key_provider or f"file:{self.data / 'master.key'}"

    @property
    def vault(self) -> Path:
        """The root secret, sealed under the master key."""
        return self.data / "vault.sealed"


def from_environment(environment: Mapping[str, str], **given: object) -> Settings:
    """Return settings from `SEALROAD_*` variables; what is `given` (and not None) wins.

    Variables: SEALROAD_DATA, SEALROAD_DATABASE_URL, SEALROAD_STORAGE, SEALROAD_HOST, SEALROAD_PORT,
    SEALROAD_PUBLIC_URL, SEALROAD_MASTER_KEY, SEALROAD_MASTER_KEY_PREVIOUS,
    SEALROAD_MASTER_KEY_FILE (a path, short for file:PATH),
    SEALROAD_MAX_UPLOAD (octets), SEALROAD_CIRCLE_PARTITIONS, SEALROAD_TSA_TIME, SEALROAD_OWN_CHECK,
    SEALROAD_CHECKPOINT_MINUTES (0: no checkpoints), SEALROAD_VERIFY_SECONDS, SEALROAD_VERIFY_MEMORY (octets),
    SEALROAD_VERIFY_WORKERS, SEALROAD_JOB_THREADS, SEALROAD_JOB_LEASE (seconds), SEALROAD_RATE_LIMIT,
    SEALROAD_RATE_LIMIT_TENANT (requests in a minute, 0: any number). Raises ConfigurationError.
    """
    values: dict[str, object] = {"data": Path(environment.get("SEALROAD_DATA", "sealroad-data")).resolve()}
    plain = {
        "database": "SEALROAD_DATABASE_URL",
        "storage": "SEALROAD_STORAGE",
        "host": "SEALROAD_HOST",
        "public_url": "SEALROAD_PUBLIC_URL",
    }
    plain |= {"master_key_provider": "SEALROAD_MASTER_KEY", "previous_master_key": "SEALROAD_MASTER_KEY_PREVIOUS"}
    values |= {name: environment[variable] for name, variable in plain.items() if environment.get(variable)}
    if environment.get("SEALROAD_MASTER_KEY_FILE"):
        if environment.get("SEALROAD_MASTER_KEY"):
            raise ConfigurationError("SEALROAD_MASTER_KEY and SEALROAD_MASTER_KEY_FILE are both set")
        values["master_key_provider"] = f"file:{Path(environment['SEALROAD_MASTER_KEY_FILE']).resolve()}"
    if environment.get("SEALROAD_TSA_TIME"):
        values["tsa_time"] = environment["SEALROAD_TSA_TIME"]
        from certs.time_source import time_source_named

        try:
            time_source_named(environment["SEALROAD_TSA_TIME"])
        except TimeStampError as error:
            raise ConfigurationError(f"SEALROAD_TSA_TIME: {error}", hint=error.hint) from error
    numbers = {
        "port": "SEALROAD_PORT",
        "max_upload": "SEALROAD_MAX_UPLOAD",
        "verify_seconds": "SEALROAD_VERIFY_SECONDS",
        "verify_memory": "SEALROAD_VERIFY_MEMORY",
        "verify_workers": "SEALROAD_VERIFY_WORKERS",
        "circle_partitions": "SEALROAD_CIRCLE_PARTITIONS",
        "own_check": "SEALROAD_OWN_CHECK",
        "job_threads": "SEALROAD_JOB_THREADS",
        "job_lease": "SEALROAD_JOB_LEASE",
        "rate_limit": "SEALROAD_RATE_LIMIT",
        "rate_limit_tenant": "SEALROAD_RATE_LIMIT_TENANT",
    }
    for name, variable in numbers.items():
        if environment.get(variable):
            try:
                values[name] = int(environment[variable])
            except ValueError:
                raise ConfigurationError(f"{variable} is not a number") from None
            least = 0 if name in {"port", "rate_limit", "rate_limit_tenant"} else 1  # port 0: any; rate limit 0: none
            if int(environment[variable]) < least:
                raise ConfigurationError(f"{variable} is too small")
    if "own_check" in values:
        from certs.keys.checked import MAX_ONE_IN

        if values["own_check"] not in range(1, MAX_ONE_IN + 1):
            raise ConfigurationError(f"SEALROAD_OWN_CHECK is not from 1 to {MAX_ONE_IN}")
    if "job_lease" in values:
        values["job_lease"] = timedelta(seconds=min(int(environment["SEALROAD_JOB_LEASE"]), 86400))
    if minutes := environment.get("SEALROAD_CHECKPOINT_MINUTES"):
        if not minutes.isdecimal() or len(minutes) > 6:
            raise ConfigurationError("SEALROAD_CHECKPOINT_MINUTES is not a number of minutes")
        values["checkpoint_interval"] = timedelta(minutes=int(minutes)) if int(minutes) else None
    values |= {name: value for name, value in given.items() if value is not None}
    return Settings(**values)  # type: ignore[arg-type]
