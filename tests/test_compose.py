"""docker-compose.yml and the Dockerfile keep their rules: read here, since a test run cannot count on a Docker daemon."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.properties import SMALL_AND_QUICK, durability

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("init", "worker")
OPTIONAL = {"postgres", "ui"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()

every_service = pytest.mark.parametrize("name", SERVICES)
our_services = pytest.mark.parametrize("name", OURS)


def test_the_stack_has_all_its_parts() -> None:
    assert set(SERVICES) == {"kafka", "registry", "init", "worker", *OPTIONAL}


@every_service
def test_each_image_is_pinned_to_a_full_version(name: str) -> None:
    assert re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", SERVICES[name]["image"])


def test_kafka_is_the_image_that_the_tests_take_when_a_docker_daemon_answers() -> None:
    from tests.support.broker import KAFKA_IMAGE

    assert SERVICES["kafka"]["image"] == KAFKA_IMAGE


@every_service
def test_each_port_is_published_on_the_loopback_address_only(name: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))
    assert SERVICES[name].get("network_mode") != "host"


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "init"])
def test_each_server_has_a_health_check_with_its_limits(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@every_service
def test_what_a_service_depends_on_is_waited_for_until_it_is_healthy_or_done(name: str) -> None:
    for dependency, how in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if dependency == "init" else "service_healthy"
        assert how["condition"] == expected


@every_service
def test_what_is_optional_has_a_profile_and_nothing_else_requires_it(name: str) -> None:
    assert bool(SERVICES[name].get("profiles")) == (name in OPTIONAL)
    required = {other for other, how in SERVICES[name].get("depends_on", {}).items() if how.get("required", True)}
    assert not required & OPTIONAL


def test_topics_and_schemas_are_made_once_before_the_worker_starts() -> None:
    assert SERVICES["init"]["command"] == ["headrace", "init", "--yes"]
    assert SERVICES["init"]["restart"] == "no"
    assert "init" in SERVICES["worker"]["depends_on"]


@our_services
def test_our_image_is_built_from_the_repository_and_runs_without_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["build"] == "."
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert any(mount.startswith("/tmp") for mount in service["tmpfs"])
    assert "user" not in service
    assert not service.get("privileged")


@every_service
def test_no_service_may_gain_privileges_or_hold_the_docker_socket(name: str) -> None:
    assert "no-new-privileges:true" in SERVICES[name]["security_opt"]
    assert not any("docker.sock" in volume for volume in SERVICES[name].get("volumes", ()))


@every_service
def test_secrets_come_from_the_environment_with_a_default_for_development(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search("PASSWORD|SECRET|TOKEN", variable):
            assert re.fullmatch(r"\$\{\w+:-dev-only\}", value)
        assert not re.search(r"://[^/]*:[^/]*@", str(value))


def test_kafka_has_devstacks_settings() -> None:
    environment = {variable: str(value) for variable, value in SERVICES["kafka"]["environment"].items()}
    for name, value in {**durability(1), **SMALL_AND_QUICK}.items():
        assert environment[f"KAFKA_{name.replace('.', '_').upper()}"] == str(value)


def test_each_named_volume_is_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert used == set(COMPOSE["volumes"])


def test_the_image_is_built_in_stages_from_one_pinned_slim_base() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases[0])


def test_the_image_ends_as_a_user_that_is_not_root() -> None:
    user = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1]
    uid = re.search(r"^ARG UID=(\d+)", DOCKERFILE, re.MULTILINE)
    assert user == "${UID}:${UID}"
    assert uid
    assert int(uid[1]) >= 10_000


def test_the_image_takes_the_tested_versions_and_nothing_for_development() -> None:
    extras = re.search(r"\.\[([\w,]+)\]", DOCKERFILE)
    assert extras
    assert "--constraint constraints.txt" in DOCKERFILE
    assert not {"dev", "all", "devstack"} & set(extras[1].split(","))


def test_only_what_the_image_is_made_of_is_sent_to_docker() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert rules[1] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    }
    assert allowed == copied
