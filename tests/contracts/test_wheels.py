"""A wheel brings everything its package needs, and works where the tree is not."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("ingest", "scoring", "routing")
PROJECTS = [ROOT / "shared", *(ROOT / "services" / name for name in SERVICES)]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Built without asking an index."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*pip, *map(str, PROJECTS)], check=True)
    return {path.name.split("-")[0].removeprefix("aftercall_"): path for path in folder.glob("*.whl")}


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_a_wheel_has_every_file_of_its_package(wheels: dict[str, Path], project: Path) -> None:
    package = project if project.name == "shared" else project / project.name
    tracked = subprocess.run(["git", "ls-files", "-z", "."], cwd=package, check=True, capture_output=True, text=True).stdout
    wanted = {f"{package.name}/{path}" for path in tracked.split("\0") if path and path != "pyproject.toml"}

    found = set(zipfile.ZipFile(wheels[project.name]).namelist())

    assert wanted
    assert wanted <= found, sorted(wanted - found)


def test_services_installed_from_wheels_migrate_a_database(wheels: dict[str, Path], database_url: str, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(tmp_path)]
    subprocess.run([*pip, *map(str, wheels.values())], check=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "AFTERCALL_DATABASE_URL": database_url}

    for service in SERVICES:
        where = [sys.executable, "-c", f"import {service}; print({service}.__file__)"]
        told = subprocess.run(where, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
        assert told.stdout.startswith(str(tmp_path))
        done = subprocess.run(
            [sys.executable, "-m", service, "migrate"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
