"""The line that the rooms form, schemas ← producers ← consumers ← streams, read off the imports of every file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("schemas", "producers", "consumers", "streams", "devstack", "demo", "bench", "tests")
MAY_IMPORT = {
    "schemas": set(),
    "producers": {"schemas"},
    "consumers": {"schemas", "producers"},
    "streams": {"schemas", "producers", "consumers"},
    "devstack": set(),
}
PRODUCT = [path for room in MAY_IMPORT for path in sorted((ROOT / room).rglob("*.py"))]
RUNTIME = [path for path in PRODUCT if (ROOT / "consumers" / "runtime") in path.parents]
CATALOGUE = ROOT / "consumers" / "agents.py"
HANDLERS = [
    path for path in PRODUCT if (ROOT / "consumers") in path.parents and path not in RUNTIME and path != CATALOGUE
]
CLIENTS = ("confluent_kafka", "faust", "aiokafka", "mode")
HANDLER_MODULES = ("images", "text", "analytics", "overview", "imaging", "texts", "rollups")


def name_of(path):
    return str(path.relative_to(ROOT))


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports_of(path):
    """Dotted names of all that a file imports, wherever in it; `from a import b` gives a.b, since b may be a module."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def lies_in(module, packages):
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_room_imports_only_the_rooms_before_it(path):
    room = path.relative_to(ROOT).parts[0]
    foreign = set(ROOMS) - MAY_IMPORT[room] - {room}
    assert {module for module in imports_of(path) if lies_in(module, foreign)} == set()


@pytest.mark.parametrize("path", HANDLERS, ids=name_of)
def test_a_handler_imports_neither_the_runtime_nor_a_kafka_client(path):
    assert {module for module in imports_of(path) if lies_in(module, ("consumers.runtime", *CLIENTS))} == set()


@pytest.mark.parametrize("path", RUNTIME, ids=name_of)
def test_the_runtime_knows_no_handler(path):
    handlers = [f"consumers.{module}" for module in ("agents", *HANDLER_MODULES)]
    assert {module for module in imports_of(path) if lies_in(module, handlers)} == set()


def test_only_the_application_and_its_parts_import_faust():
    users = {
        name_of(path) for path in PRODUCT if any(lies_in(module, ("faust", "mode")) for module in imports_of(path))
    }
    assert users == {
        "streams/application.py",
        "streams/commands/faust_commands.py",
        "streams/host.py",
        "streams/worker.py",
    }


UNSAFE_MODULES = ("pickle", "cPickle", "shelve", "marshal", "dill", "cloudpickle", "yaml")
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_nothing_is_unpickled_evaluated_or_run_through_a_shell(path):
    assert {module for module in imports_of(path) if lies_in(module, UNSAFE_MODULES)} == set()
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    named = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
    assert named & UNSAFE_CALLS == set()
    methods = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    assert methods & {"read_pickle", "to_pickle", "allow_pickle"} == set()
    assert not any(keyword.arg == "shell" for call in calls for keyword in call.keywords)


CHILDREN = ("child.py", "child_process.py")


def test_the_pipe_to_a_child_process_carries_bytes_only():
    folder = ROOT / "consumers" / "runtime" / "executors"
    for name in CHILDREN:
        attributes = {node.attr for node in ast.walk(tree_of(folder / name)) if isinstance(node, ast.Attribute)}
        assert "send_bytes" in attributes
        assert attributes & {"send", "recv"} == set()


def test_the_walk_finds_the_rooms_and_would_see_a_wrong_import(tmp_path):
    assert len(PRODUCT) > 80
    assert len(RUNTIME) > 20
    assert {"consumers/images.py", "consumers/rollups/closing.py"} <= set(map(name_of, HANDLERS))
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def f():\n    from streams import host\n    import confluent_kafka.admin\n")
    assert imports_of(wrong) == {"streams.host", "confluent_kafka.admin"}
    assert lies_in("confluent_kafka.admin", CLIENTS)
    assert not lies_in("models", CLIENTS)
