"""What people see of a signature: stamps in Chinese, Russian and English, with every font embedded.

    from signer.appearance import StampSpec, render
    drawing = render(StampSpec(name="Иванов Иван Иванович", organisation="ООО «Вектор»", locale="ru", family="ru"))

`signer.appearance.embed.form_xobject` puts a Drawing into a PDF; `signer.appearance.contract` makes a sample contract.
"""

from __future__ import annotations

from signer.appearance.colour import ColourMode
from signer.appearance.stamp import Drawing, StampSpec, render
from signer.appearance.words import algorithm_label

__all__ = ["ColourMode", "Drawing", "StampSpec", "algorithm_label", "render"]
