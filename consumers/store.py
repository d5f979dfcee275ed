"""The object store: a local folder, S3 or memory behind one small interface.

What is bigger than an event may be travels by reference: a path in this store (see `consumers.object_paths`).

Sets. Objects that belong together are written by `put_all` as one folder, which becomes visible as a whole or not at
all, also when the process is killed in the middle. What makes a set visible is its manifest, `<folder>/manifest.json`:
a set without one does not exist for a reader, whatever objects lie there.

* Locally the objects and the manifest are written to a staging folder, flushed to disk, and moved into place by one
  rename. Nobody ever sees a part.
* S3 has no rename: the objects are uploaded first and the manifest last. A killed writer leaves objects without a
  manifest, which the next attempt at the same folder overwrites. Follow references out of results, or read `members`;
  don't list folders.

A folder names its content: `put_all` to a folder that is already visible changes nothing and says what stands there.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

import msgspec

from consumers.errors import Unavailable
from consumers.object_paths import InvalidPathError, checked
from consumers.staging import Staging
from schemas.errors import ConfigurationError, HeadraceError, MissingExtraError

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Backend

__all__ = [
    "InvalidPathError",
    "ObjectNotFoundError",
    "ObjectStore",
    "ObjectTooLargeError",
    "Stored",
    "open_store",
]

DEPENDENCY = "object-store"
MANIFEST = "manifest.json"
MAX_OBJECT_BYTES = 64 * 1024 * 1024
"""The most that `get` reads unless it is told otherwise: an object is held in memory whole, once for each handler at work."""
_CONNECT_TIMEOUT_S = 3
_REQUEST_TIMEOUT_S = 10
_RETRIES = 2
"""Short, since the runtime waits for a store that is down; obstore's own 3 minutes would outlive every deadline."""


class ObjectNotFoundError(HeadraceError):
    """Raised when there is no object at a path."""


class ObjectTooLargeError(HeadraceError):
    """Raised when an object has more bytes than the reader allows; it was not read."""


class Stored(msgspec.Struct, frozen=True):
    """One object of a set.

    Attributes:
        size_bytes: its size.
        sha256: of its bytes, hexadecimal.
    """

    size_bytes: int
    sha256: str


class _Manifest(msgspec.Struct, frozen=True):
    objects: dict[str, Stored]


_manifests = msgspec.json.Decoder(_Manifest)
"""Made here, once: two threads at once that meet a class for the first time crash msgspec (see schemas.conversion)."""


class _Sets(Protocol):
    """Writes the objects of a folder so that its manifest appears with them or after them."""

    def write(self, folder: str, objects: Mapping[str, bytes], *, last: str) -> None: ...


def open_store(url: str, *, environ: Mapping[str, str] | None = None) -> "ObjectStore":
    """The object store behind a URL; nothing is contacted yet.

    Args:
        url: a folder such as "data/objects" or "file:///var/objects", "s3://bucket/prefix", or "memory://" for one
            that lives and dies with the object. S3 takes its keys and region from AWS's usual variables.
        environ: the environment; the process's own by default. AWS_ENDPOINT_URL_S3 names another S3 than Amazon's.

    Raises:
        ConfigurationError: when the URL is of no known kind.
        MissingExtraError: when obstore is not installed.
        Unavailable: when the local folder cannot be made.
    """
    try:
        from obstore.store import MemoryStore
    except ImportError as error:
        raise MissingExtraError("images", "obstore") from error
    kind = urlsplit(url).scheme if "://" in url else "file"
    if kind == "file":
        return _open_local(Path(unquote(urlsplit(url).path) if "://" in url else url))
    if kind == "s3":
        backend = _open_s3(url, os.environ if environ is None else environ)
        return ObjectStore(backend, _ManifestLast(backend), url=url)
    if kind == "memory":
        memory = MemoryStore()
        return ObjectStore(memory, _ManifestLast(memory), url=url)
    raise ConfigurationError([f"HEADRACE_STORE_URL={url}: a folder, file://, s3:// or memory:// is needed"])


def _open_local(root: Path) -> "ObjectStore":
    from obstore.store import LocalStore

    with _available(str(root)):
        root.mkdir(parents=True, exist_ok=True)
        resolved = root.resolve()
        return ObjectStore(LocalStore(prefix=resolved), Staging(resolved), url=str(root))


def _open_s3(url: str, environ: Mapping[str, str]) -> "Backend":
    from obstore.store import S3Store

    parts = urlsplit(url)
    if not parts.netloc:
        raise ConfigurationError([f"HEADRACE_STORE_URL={url}: the bucket is missing: s3://bucket/prefix"])
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config={"region": region, **({"endpoint": endpoint} if endpoint else {})},
        client_options={
            "allow_http": (endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=_CONNECT_TIMEOUT_S),
            "timeout": timedelta(seconds=_REQUEST_TIMEOUT_S),
        },
        retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_REQUEST_TIMEOUT_S)},
    )


class ObjectStore:
    """Objects by path; safe to share between threads. Made by `open_store`.

    Every method raises InvalidPathError for a path that the store could not hold, and Unavailable("object-store") when
    the store does not answer, is full, or refuses our credentials.
    """

    def __init__(self, backend: "Backend", sets: _Sets, *, url: str) -> None:
        self._backend = backend
        self._sets = sets
        self.url = url

    def get(self, path: str, *, max_bytes: int = MAX_OBJECT_BYTES) -> bytes:
        """The object's bytes.

        Raises:
            ObjectNotFoundError: when there is none.
            ObjectTooLargeError: when it has more than max_bytes; its bytes are not fetched then.
        """
        import obstore

        with self._reading(path):
            found = obstore.get(self._backend, checked(path))
            size_bytes = found.meta["size"]
            if size_bytes > max_bytes:
                raise ObjectTooLargeError(f"{path} has {size_bytes:,} bytes, more than the {max_bytes:,} allowed here")
            return bytes(found.bytes())

    def put(self, path: str, data: bytes) -> None:
        """Write one object, in place of any that was there; readers see the old bytes or the new, nothing between."""
        import obstore

        with _available(self.url):
            obstore.put(self._backend, checked(path), data, use_multipart=False)

    def put_all(self, folder: str, objects: Mapping[str, bytes]) -> Mapping[str, Stored]:
        """Make a set of objects visible all at once; see the module's contract.

        Args:
            folder: the set's own folder.
            objects: their bytes by their name in the folder, a single path part; "manifest.json" is taken.

        Returns:
            What now stands there, by name: as given, or as a writer before us left it.
        """
        for name in objects:
            if "/" in checked(name) or name == MANIFEST:
                raise InvalidPathError(f"{name!r} cannot be the name of an object in a set")
        checked(f"{folder}/{MANIFEST}")
        try:
            return self.members(folder)
        except ObjectNotFoundError:
            manifest = _manifest_of(objects)
            with _available(self.url):
                self._sets.write(folder, {**objects, MANIFEST: msgspec.json.encode(manifest)}, last=MANIFEST)
        return self.members(folder)

    def members(self, folder: str) -> Mapping[str, Stored]:
        """The objects of a set that is visible, by their name in the folder.

        Raises:
            ObjectNotFoundError: when no set is visible there.
        """
        return _manifests.decode(self.get(f"{folder}/{MANIFEST}")).objects

    def exists(self, path: str) -> bool:
        """Whether there is an object at the path."""
        import obstore

        try:
            with self._reading(path):
                obstore.head(self._backend, checked(path))
        except ObjectNotFoundError:
            return False
        return True

    def delete(self, path: str) -> None:
        """Remove an object; one that is not there is fine."""
        import obstore

        try:
            with self._reading(path):
                obstore.delete(self._backend, checked(path))
        except ObjectNotFoundError:  # only the local store says so
            return

    def list(self, prefix: str = "") -> Iterator[str]:
        """The paths of all objects below a folder, sorted; staged ones are not among them."""
        import obstore

        with _available(self.url):
            found = obstore.list(self._backend, checked(prefix) if prefix else None)
            paths = sorted(str(entry["path"]) for batch in found for entry in batch)
        return iter([path for path in paths if not path.startswith(".")])

    @contextmanager
    def _reading(self, path: str) -> Iterator[None]:
        """A path that is not there is the path's fault; a bucket that is not there is the store's."""
        import obstore.exceptions

        with _available(self.url):
            try:
                yield
            except (FileNotFoundError, obstore.exceptions.GenericError) as error:
                missing = isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error)
                if not missing and "Not a directory" not in str(error):
                    raise
                raise ObjectNotFoundError(f"there is no object at {path} in {self.url}") from error


class _ManifestLast:
    """Sets in a store without rename: the object that makes the others count is written after them."""

    def __init__(self, backend: "Backend") -> None:
        self._backend = backend

    def write(self, folder: str, objects: Mapping[str, bytes], *, last: str) -> None:
        """Write the objects, the one that makes them visible at the end."""
        import obstore

        for name in sorted(objects, key=lambda name: (name == last, name)):
            obstore.put(self._backend, f"{folder}/{name}", objects[name], use_multipart=False)


@contextmanager
def _available(url: str) -> Iterator[None]:
    """Turn what only a person or time can heal into Unavailable."""
    import obstore.exceptions

    try:
        yield
    except (obstore.exceptions.BaseError, OSError) as error:
        first = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise Unavailable(DEPENDENCY, f"{url}: {first}; the work goes on by itself once it answers") from error


def _manifest_of(objects: Mapping[str, Any]) -> _Manifest:
    return _Manifest(
        {name: Stored(len(data), hashlib.sha256(data).hexdigest()) for name, data in sorted(objects.items())}
    )
