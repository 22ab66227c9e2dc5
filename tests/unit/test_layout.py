"""The traps of this repository's layout: a folder `secrets/`, a folder `alembic/`, and what must never be committed."""

import os
import re
import statistics
import subprocess
import sys
import sysconfig
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = ("reporter/", "adapters/", "secrets/")


@cache
def committed() -> tuple[Path, ...]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = tuple(ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file())
    assert files
    return files


@cache
def wheel_files(folder: Path) -> frozenset[str]:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.mark.parametrize("folder", ["secrets", "alembic"])
def test_source_roots_named_like_modules_are_no_packages(folder: str) -> None:
    assert (ROOT / folder).is_dir()
    assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize("options", [["-I"], []], ids=["isolated", "from the root"])
def test_each_name_is_imported_from_where_it_belongs(options: list[str]) -> None:
    code = "import adapters, alembic, keycustody, reporter, secrets\n"
    code += "for module in (adapters, alembic, keycustody, reporter, secrets): print(module.__file__)"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'secrets'}"}
    shown = subprocess.run(
        [sys.executable, *options, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    found = [Path(line).parent for line in shown.stdout.splitlines()]
    standard_library, installed = Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))
    assert [
        ROOT / "adapters",
        installed / "alembic",
        ROOT / "secrets" / "keycustody",
        ROOT / "reporter",
        standard_library,
    ] == found


@pytest.mark.parametrize("ignored", [".gitignore", ".dockerignore"])
def test_no_ignore_file_hides_the_keys_package(ignored: str) -> None:
    file = ROOT / ignored
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    assert [line for line in lines if line.strip().strip("/*") == "secrets"] == []


def test_the_wheel_holds_every_module_and_the_migrations(tmp_path_factory: pytest.TempPathFactory) -> None:
    names = wheel_files(tmp_path_factory.mktemp("wheel"))
    expected = {str(file.relative_to(ROOT)) for file in committed() if file.suffix in (".py", ".typed")}
    modules = {name.removeprefix("secrets/") for name in expected if name.startswith(SOURCE_ROOTS)}
    migrations = {
        name.replace("alembic/", "reporter/migrations/", 1) for name in expected if name.startswith("alembic/")
    }
    assert "keycustody/__init__.py" in modules
    assert "reporter/migrations/env.py" in migrations
    examples = {str(file.relative_to(ROOT / "tests/data")) for file in (ROOT / "tests/data").glob("EX-*/**/*.*")}
    assert set() == (modules | migrations | {f"reporter/demo_cases/{name}" for name in examples}) - names
    assert set() == {name for name in names if name.endswith(".pyc")}
    assert set() == {name.split("/")[0] for name in names if "dist-info" not in name} - {
        "adapters",
        "keycustody",
        "reporter",
    }


def test_no_schema_of_an_authority_is_committed() -> None:
    assert [file for file in committed() if file.suffix == ".xsd"] == []


def test_no_lock_file_is_committed() -> None:
    assert [file for file in committed() if re.search(r"\.lock$|lock\.(json|ya?ml|toml)$|^Pipfile", file.name)] == []


def test_no_package_host_and_no_path_of_one_machine_is_committed() -> None:
    hosts = r"py" + r"pi\.org|pythonhosted\.|registry\.npm" + r"js|registry\.yarn" + r"pkg"
    paths = r"(?<![\w.])/(?:ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+|wo" + r"rk|opt/(?:py" + r"pi|wheels))/"
    traces = []
    for file in committed():
        text = file.read_text(encoding="utf-8", errors="replace")
        traces += [f"{file.relative_to(ROOT)}: {found[0]}" for found in re.finditer(f"{hosts}|{paths}", text)]
    assert traces == []


def test_files_stay_small() -> None:
    sources = [str(file.relative_to(ROOT)) for file in committed() if file.suffix == ".py"]
    sizes = {
        name: len((ROOT / name).read_text(encoding="utf-8").splitlines())
        for name in sources
        if name.startswith(SOURCE_ROOTS)
    }
    assert {name: size for name, size in sizes.items() if size > 400} == {}
    assert statistics.median(sizes.values()) <= 150
