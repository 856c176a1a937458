"""The child of `signer.rendering`: a PDF on standard input, a PNG on standard output.

Run by path; it imports nothing of ours.

python -I rendering_child.py PAGE DPI SECONDS < file.pdf > page.png
"""

from __future__ import annotations

import io
import resource
import sys

MEMORY = 1 << 30
MAX_PIXELS = 25_000_000


def main() -> int:
    """Draw one page within limits; returns the exit code."""
    page, dpi, seconds = (int(value) for value in sys.argv[1:4])
    try:
        import pypdfium2
        from PIL import PngImagePlugin  # noqa: F401 - loaded before the limits
    except ImportError:
        return 3
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
    document.init_forms()  # else the stamps of signatures, which are form fields, are left out
    drawn = document[page - 1]
    width, height = drawn.get_size()
    scale = min(dpi / 72, (MAX_PIXELS / max(width * height, 1)) ** 0.5)
    picture = drawn.render(scale=scale).to_pil().convert("RGB")
    out = io.BytesIO()
    picture.save(out, "PNG")
    sys.stdout.buffer.write(out.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
