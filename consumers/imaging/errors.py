"""Why an image is refused. Each reason is a class and a first word, so that dead letters can be found by either."""

from typing import ClassVar

from consumers.errors import Reject


class ImageRejectError(Reject):
    """Raised when an image can never be processed; its text begins with the class's word and a colon."""

    word: ClassVar[str] = "rejected"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{self.word}: {reason}")


class TruncatedImageError(ImageRejectError):
    """Raised when the file ends before the image does."""

    word = "truncated"


class BrokenImageError(ImageRejectError):
    """Raised when the file is whole but its content cannot be decoded."""

    word = "broken"


class UnsupportedImageError(ImageRejectError):
    """Raised when the file is of no format that we decode, whatever its name or declared type says."""

    word = "unsupported"


class ImageBombError(ImageRejectError):
    """Raised when the image declares more pixels than we decode."""

    word = "bomb"


class TooManyFramesError(ImageRejectError):
    """Raised when an animation declares more frames than we accept."""

    word = "too many frames"


class ImageTooLargeError(ImageRejectError):
    """Raised when the file has more bytes than we read."""

    word = "too large"


class InvalidUploadError(ImageRejectError):
    """Raised when the event contradicts itself or asks for what cannot be made; the text names the field."""

    word = "invalid"
