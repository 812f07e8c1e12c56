"""Makes the code under `proto/gen` from the protos, with a file of their comments, and checks the protos with buf.

Neither needs a network.
`buf/validate/validate.proto` is not copied into the tree: its descriptor is read from the protovalidate package,
so that the rules which are generated and the engine which runs them are of one version.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from comments import by_name
from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2
from protovalidate._gen.buf.validate import validate_pb

PROTO = Path(__file__).parent
GENERATED = PROTO / "gen"
OURS = sorted(str(path.relative_to(PROTO)) for path in (PROTO / "trackside").rglob("*.proto"))
VALIDATE = "buf/validate/validate.proto"
COMMENTS = "trackside/v1/comments.json"


def write_dependencies(path: Path) -> None:
    """Write the descriptors that our protos import: protovalidate's, and the well-known types it imports."""
    dependencies = descriptor_pb2.FileDescriptorSet()
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2, struct_pb2):
        module.DESCRIPTOR.CopyToProto(dependencies.file.add())
    dependencies.file.add().ParseFromString(validate_pb._DESC.proto.to_binary())  # pyright: ignore
    path.write_bytes(dependencies.SerializeToString(deterministic=True))


def protoc(dependencies: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={dependencies}", f"-I{PROTO}"]
    subprocess.run([*command, *arguments], check=True)  # noqa: S603


def generate(dependencies: Path, out: Path) -> None:
    protoc(dependencies, f"--python_out={out}", f"--pyi_out={out}", VALIDATE, *OURS)
    protoc(dependencies, f"--grpc_python_out={out}", *(name for name in OURS if name.endswith("_service.proto")))
    image = descriptor_pb2.FileDescriptorSet.FromString(write_image(dependencies, out / "image.binpb").read_bytes())
    (out / "image.binpb").unlink()
    comments = by_name(file for file in image.file if file.name in OURS)
    (out / COMMENTS).write_text(json.dumps(comments, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for package in (out / "trackside" / "v1", out / "buf" / "validate"):
        (package / "__init__.py").touch()
        (package / "py.typed").touch()


def differences(expected: Path, actual: Path) -> list[str]:
    """The files under either folder that the other lacks or has otherwise."""

    def files(root: Path) -> set[str]:
        return {
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.is_file() and path.suffix in (".py", ".pyi", ".typed", ".json")
        }

    names = files(expected) | files(actual)
    _, different, missing = filecmp.cmpfiles(expected, actual, names, shallow=False)
    return sorted([*different, *missing])


def check(dependencies: Path, scratch: Path, baseline: Path) -> int:
    """Whether the generated code is current and the protos pass buf; 0 when they do."""
    out = scratch / "gen"
    out.mkdir()
    generate(dependencies, out)
    stale = differences(out, GENERATED)
    if stale:
        print("proto/gen is not current, run `make generate`:", *stale, file=sys.stderr)
    image = write_image(dependencies, scratch / "image.binpb")
    config = str(PROTO.parent / "buf.yaml")
    buf = str(Path(sys.executable).parent / "buf")
    ours = ["--config", config, "--path", "trackside"]  # what ours import is in the image too
    commands = [
        [buf, "lint", str(image), *ours],
        [buf, "breaking", str(image), *ours, "--against", str(baseline)],
        [buf, "format", "--diff", "--exit-code", "--path", str(PROTO / "trackside"), str(PROTO.parent)],
    ]
    failed = [command for command in commands if subprocess.run(command, check=False).returncode]  # noqa: S603
    return 1 if stale or failed else 0


def write_image(dependencies: Path, path: Path) -> Path:
    """Write our protos, without their dependencies' sources, as an image that buf reads."""
    protoc(dependencies, f"--descriptor_set_out={path}", "--include_imports", "--include_source_info", *OURS)
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something is not as it should")
    parser.add_argument("--breaking-against", type=Path, default=PROTO / "breaking-baseline.binpb", metavar="IMAGE")
    parser.add_argument("--write-baseline", action="store_true", help="make today's protos what --check compares with")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        dependencies = scratch / "dependencies.binpb"
        write_dependencies(dependencies)
        if arguments.check:
            return check(dependencies, scratch, arguments.breaking_against)
        if arguments.write_baseline:
            write_image(dependencies, arguments.breaking_against)
            return 0
        generate(dependencies, GENERATED)
    return 0


if __name__ == "__main__":
    sys.exit(main())
