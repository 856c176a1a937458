"""`sealroad seal verify`: the same as `sealroad verify`, where somebody with a seal looks for it."""

from __future__ import annotations

from signer.cli_verify import configure, run

__all__ = ["configure", "run"]
