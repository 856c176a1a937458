"""Machine-readable powers of attorney: who may act for whom, as the file says it. Nothing is judged here.

    mandate = read_mandate(data)         # certs.mandates.model.Mandate; MalformedInput

`signer.mandates` says whether a mandate holds: its signature, its term, whom it names.
"""

from certs.mandates.emchd import read_mandate
from certs.mandates.model import Actor, Mandate, Power, Root

__all__ = ["Actor", "Mandate", "Power", "Root", "read_mandate"]
