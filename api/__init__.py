"""Who wants what done, and when? Contracts, parties, jobs over HTTP; and the command line."""

from __future__ import annotations


def version() -> str:
    """Return the version of the installed distribution."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("sealroad")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0+unknown"
