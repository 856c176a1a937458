"""Fields of a form that parties fill when they sign: laid out before the first signature, filled within it.

    lay_out(source, target, (FormField("price", 1, (300, 400, 480, 420), "text"),))       # before anybody signs
    sign(…, SignOptions(values=(("price", "1 200 000 ¥"),), locks=("price",)))            # filled, signed, locked

Values are written into the revision of the signature of whoever stated them, so that this signature covers them; its
FieldMDP locks them (ISO 32000-2 12.8.2.4). Earlier signatures see a form that was filled in (12.8.2.2, level 2).
"""

from __future__ import annotations

from signer.forms.fields import FormField, Objection, objections_to_value, shown
from signer.forms.layout import lay_out

__all__ = ["FormField", "Objection", "lay_out", "objections_to_value", "shown"]
