"""A press for tests, and eyes for what it printed."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image, ImageChops, ImageFilter

from adapters.letter.payload import LetterPayload
from engine.exchange.ports import Mailbox, Part, Reading
from tests.contracts.samples import HOMBURG, Envelopes, context, mailbox

BOX = mailbox(HOMBURG, "letter+post", "Am Forum 5\n66424 Homburg")


class Desk:
    """One installation that writes and reads letters."""

    def __init__(
        self, folder: Path, installation: str = "SB1", settings: dict[str, Any] | None = None
    ) -> None:
        lent = replace(context(folder, settings), installation=installation, secret=installation.encode() * 8)
        self.folder = folder
        self.installation = installation
        self.payload = LetterPayload(lent)
        self.envelopes = Envelopes()
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, box: Mailbox = BOX, **wishes: Any) -> Path:
        envelope = self.envelopes.new(**{"installation": self.installation, **wishes})
        folder = self.folder / envelope.dispatch_id
        folder.mkdir()
        (part,) = self.payload.build(envelope, box, folder)
        assert (part.role, part.media_type) == ("letter", "application/pdf")
        assert list(folder.iterdir()) == [part.path]
        return part.path

    def read(self, *paths: Path) -> Reading:
        parts = [Part(path.name, _media_type(path), path, "scan") for path in paths]
        return self.payload.read(parts, self.folder)


def _media_type(path: Path) -> str:
    return "application/pdf" if path.suffix == ".pdf" else f"image/{path.suffix[1:]}"


def texts(pdf: Path) -> list[str]:
    """Return the text of every page, blanks unified."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]
    finally:
        document.close()


def scans(pdf: Path, dpi: int = 150) -> list[Image.Image]:
    """Return every page as a scanner would, upright and clean."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=dpi / 72, grayscale=True).to_pil() for page in document]
    finally:
        document.close()


def skewed(image: Image.Image, angle: float) -> Image.Image:
    return image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def noisy(image: Image.Image, sigma: float) -> Image.Image:
    return ImageChops.add(image, Image.effect_noise(image.size, sigma), 1, -128)


def blurred(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def save_pdf(images: Sequence[Image.Image], path: Path, dpi: int = 150) -> Path:
    first, *others = images
    first.save(path, "PDF", save_all=True, append_images=others, resolution=dpi)
    return path


def blank_pdf(pages: int = 1, size: tuple[float, float] = (595, 842)) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(*size).close()
    target = io.BytesIO()
    document.save(target)
    document.close()
    return target.getvalue()
