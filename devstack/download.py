"""What a stack runs on, from Maven Central into the cache: once; after that no network is touched."""

import hashlib
import json
import shutil
import tarfile
import urllib.request
from pathlib import Path

from devstack.cache import cache_folder
from devstack.console import progress, say
from devstack.errors import UnavailableError
from devstack.locks import locked

KAFKA_VERSION = "4.4.0"
REGISTRY_VERSION = "3.3.3"
_KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
_REGISTRY_URL = (
    "https://repo.maven.apache.org/maven2/io/apicurio/apicurio-registry-app/"
    f"{REGISTRY_VERSION}/apicurio-registry-app-{REGISTRY_VERSION}-all.tar.gz"
)
_REGISTRY_SHA256 = "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63"
_ONLINE = "It is downloaded once, from repo.maven.apache.org: check the network and the proxy, then try again"


def kafka_jars() -> list[Path]:
    """Apache Kafka's jars, in the order of the class path.

    Raises:
        UnavailableError: when they are not in the cache and cannot be downloaded.
    """
    listing = cache_folder() / f"kafka-{KAFKA_VERSION}.json"
    with locked(cache_folder()):
        jars = [Path(jar) for jar in json.loads(listing.read_text("utf-8"))] if listing.is_file() else []
        if not jars or not all(jar.is_file() for jar in jars):
            say(f"downloading Apache Kafka {KAFKA_VERSION} from Maven Central (45 MB, once) ...")
            jars = _resolve(_KAFKA)
            _write_whole(listing, json.dumps([str(jar) for jar in jars]))
    return jars


def registry_home() -> Path:
    """The folder of the unpacked Apicurio Registry.

    Raises:
        UnavailableError: when it is not in the cache and cannot be downloaded.
    """
    home = cache_folder() / f"apicurio-registry-{REGISTRY_VERSION}"
    with locked(cache_folder()):
        if not home.is_dir():
            say(f"downloading Apicurio Registry {REGISTRY_VERSION} from Maven Central (158 MB, once) ...")
            archive = home.with_suffix(".tar.gz.part")
            fetch(_REGISTRY_URL, archive, sha256=_REGISTRY_SHA256)
            _unpack(archive, home)
            archive.unlink()
    return home


def _resolve(coordinates: str) -> list[Path]:
    try:
        import jgo
        from jgo.maven import PythonResolver
    except ImportError as error:
        remedy = "Install what fetches it: pip install 'headrace[devstack]'"
        raise UnavailableError(f"Apache Kafka {KAFKA_VERSION}", error, remedy) from error
    try:
        resolver = PythonResolver(progress_callback=progress)
        environment = jgo.build(coordinates, cache_dir=cache_folder() / "jgo", resolver=resolver)
    except (OSError, RuntimeError, ValueError) as error:  # what requests and jgo raise
        raise UnavailableError(f"Apache Kafka {KAFKA_VERSION}", error, _ONLINE) from error
    # all_jars: class_path_jars leaves out the jars that name a Java module, which is most of them.
    return [Path(jar) for jar in environment.all_jars]


def fetch(url: str, target: Path, *, sha256: str) -> None:
    """Download a file of that SHA-256; one of another is removed and refused with UnavailableError."""
    digest = hashlib.sha256()
    try:
        with (
            urllib.request.urlopen(url, timeout=60) as answer,  # noqa: S310 - the URL is a constant
            target.open("wb") as file,
            progress(target.name, int(answer.headers.get("Content-Length", 0)) or None) as advance,
        ):
            while block := answer.read(1 << 20):
                file.write(block)
                digest.update(block)
                advance(len(block))
    except OSError as error:
        raise UnavailableError(url, error, _ONLINE) from error
    if digest.hexdigest() != sha256:
        target.unlink()
        raise UnavailableError(url, f"its SHA-256 is {digest.hexdigest()}, not {sha256}", _ONLINE)


def _unpack(archive: Path, home: Path) -> None:
    """Unpack beside the target and rename, so that a half unpacked folder never bears its name."""
    partial = home.with_suffix(".part")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(partial, filter="data")
    partial.rename(home)


def _write_whole(path: Path, text: str) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
