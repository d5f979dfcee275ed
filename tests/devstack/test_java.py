"""Which Java is taken."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.errors import UnavailableError
from devstack.java import Java, find_java


@given(major=st.integers(9, 99), rest=st.lists(st.integers(0, 999), max_size=3))
def test_the_major_version_is_the_first_number(major: int, rest: list[int]) -> None:
    version = ".".join(map(str, [major, *rest]))
    assert Java(Path("java"), version).major == major


def test_the_major_version_of_the_old_style_is_the_second_number() -> None:
    assert Java(Path("java"), "1.8.0_402").major == 8


def test_a_java_that_is_too_old_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_java(tmp_path, "11.0.2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = find_java(at_least=21)
    assert found.major >= 21
    assert found.path != tmp_path / "bin" / "java"


def test_the_java_of_java_home_comes_first_when_it_is_new_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_java(tmp_path, "22.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java(at_least=21) == Java(tmp_path / "bin" / "java", "22.0.1")


def test_a_java_without_a_release_file_is_asked_for_its_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java = make_java(tmp_path, "22.0.1")
    (tmp_path / "release").unlink()
    java.write_text("#!/bin/sh\necho 'openjdk version \"23.0.2\" 2025-01-21' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java(at_least=21).version == "23.0.2"


def test_where_none_is_new_enough_the_error_names_what_is_there_and_a_remedy() -> None:
    with pytest.raises(UnavailableError, match=r"Java 999 or newer cannot be had: .*java is \d+.*\n.*pip install"):
        find_java(at_least=999)


def make_java(home: Path, version: str) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir()
    java.touch()
    (home / "release").write_text(f'IMPLEMENTOR="Test"\nJAVA_VERSION="{version}"\n')
    return java
