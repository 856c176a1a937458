"""Octets that stay the same around octets that change: what makes answers of one shape quick to write.

    response = Framed(lambda tbs, value: successful_response(tbs, ALGORITHM, value, CERTIFICATES))
    response(tbs, value)             # the octets that the function would return, without most of its work

An OCSP answer or a time-stamp is a handful of values in a shell of tags, lengths, names and certificates, and the shell
depends on nothing but the lengths of the values. So it is kept for every combination of lengths. There is no second
encoder to keep in step: the shell is cut out of what the general encoder returns.
"""

from __future__ import annotations

from collections.abc import Callable

SHAPES = 128
"""Combinations of lengths kept by one encoder. Whoever asks in odd lengths gets an answer by the general way."""


class Framed:
    """An encoder that copies its values, in the order of its arguments, into a shell. Thread-safe."""

    def __init__(self, build: Callable[..., bytes], shapes: int = SHAPES) -> None:
        """`build` is the general encoder. It must copy every value whole, and look at nothing of it but its length."""
        self._build, self._limit = build, shapes
        self._shells: dict[tuple[int, ...], list[bytes]] = {}

    def __call__(self, *values: bytes) -> bytes:
        """Return what `build` returns for `values`."""
        shell = self._shells.get(tuple(map(len, values)))
        if shell is None:
            return self._learn(values)
        return _fill(shell, values)

    def _learn(self, values: tuple[bytes, ...]) -> bytes:
        """Encode by the general way; keep the shell, if there is room and it gives the same."""
        encoded = self._build(*values)
        if len(self._shells) < self._limit:
            sizes = tuple(map(len, values))
            shell = self._shell(sizes)
            if shell is not None and _fill(shell, values) == encoded:
                self._shells[sizes] = shell
        return encoded

    def _shell(self, sizes: tuple[int, ...]) -> list[bytes] | None:
        """Return what stands before, between and after values of these lengths, with room for each of them.

        The general encoder is called with all bits clear and with all bits set: what differs is the values.
        """
        clear, full = (self._build(*(octet * size for size in sizes)) for octet in (b"\x00", b"\xff"))
        if len(clear) != len(full):
            return None
        changing = [place for place, (one, other) in enumerate(zip(clear, full, strict=True)) if one != other]
        if len(changing) != sum(sizes):
            return None
        shell, end, taken = [], 0, 0
        for size in sizes:
            start = changing[taken] if size else end
            shell += [clear[end:start], b""]
            end, taken = start + size, taken + size
        return [*shell, clear[end:]]


def _fill(shell: list[bytes], values: tuple[bytes, ...]) -> bytes:
    filled = shell.copy()
    filled[1::2] = values
    return b"".join(filled)
