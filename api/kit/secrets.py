"""What of a request must not be digested, stored or logged: passphrases and codes.

without_secrets(b'{"factors": [{"kind": "totp", "value": "492039"}]}')     # b'{"factors": [{"kind": "totp"}]}'

The digest of a request is kept with its Idempotency-Key. Over a passphrase it would let whoever reads the database
guess it at the speed of SHA-256.
"""

from __future__ import annotations

import json
from typing import Any, Final

MEMBERS: Final = frozenset({"passphrase", "current"})
KINDS: Final = frozenset({"passphrase", "totp"})


def without_secrets(body: bytes) -> bytes:
    """Return the octets of a JSON body without its secrets; any other body as it is."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):  # not JSON: it is refused later
        return body
    found: list[bool] = []
    cleaned = _cleaned(value, found)
    return json.dumps(cleaned, sort_keys=True).encode() if found else body


def _cleaned(value: Any, found: list[bool]) -> Any:
    if isinstance(value, list):
        return [_cleaned(item, found) for item in value]
    if not isinstance(value, dict):
        return value
    secret = MEMBERS | {"value"} if value.get("kind") in KINDS else MEMBERS
    if secret & value.keys():
        found.append(True)
    return {name: _cleaned(item, found) for name, item in value.items() if name not in secret}
