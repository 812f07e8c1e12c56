"""The wheels: one copy of the generated code, whatever of them is installed together."""

import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[3]
PROTOS, CLIENT = ROOT / "proto" / "gen", ROOT / "clients" / "python"


def wheel(project: Path, folder: Path) -> Path:
    folder.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=project, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheels_share_no_file_and_work_together(tmp_path: Path) -> None:
    wheels = [wheel(project, tmp_path / f"wheel-{n}") for n, project in enumerate((ROOT, PROTOS, CLIENT))]
    files = Counter(name for path in wheels for name in ZipFile(path).namelist())
    assert {name for name, count in files.items() if count > 1} == set()
    site = tmp_path / "site"
    for path in wheels:
        ZipFile(path).extractall(site)
    program = "import sys; sys.path.insert(0, sys.argv[1]); import trackside_client as c, trackside.v1 as p"
    program += "; print(c.__file__, p.__file__)"
    command = [sys.executable, "-c", program, str(site)]
    printed = subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert [Path(file).is_relative_to(site) for file in printed.split()] == [True, True]


def test_the_bounds_are_what_the_generated_code_asks_for() -> None:
    project = tomllib.loads((PROTOS / "pyproject.toml").read_text())["project"]
    bounds = dict(dependency.split(">=") for dependency in project["dependencies"])
    messages = (PROTOS / "trackside" / "v1" / "event_pb2.py").read_text()
    service = (PROTOS / "trackside" / "v1" / "collector_service_pb2_grpc.py").read_text()
    assert re.findall(r"Protobuf Python Version: (.*)", messages) == [bounds["protobuf"]]
    assert re.findall(r"GRPC_GENERATED_VERSION = '(.*)'", service) == [bounds["grpcio"]]
