"""Runs protoc on our protos with another language's plugin: `protoc.py --go_out=DIR --plugin=… [MORE.proto…]`.

Our own protos are always among the files; others that can be named are `buf/validate/validate.proto` and those of
googleapis, such as `google/rpc/error_details.proto`. Nothing is fetched, and no third-party proto is in the tree.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

import google.rpc

PROTO = Path(__file__).resolve().parent.parent / "proto"


def main() -> int:
    sys.path.insert(0, str(PROTO))
    generate = importlib.import_module("generate")
    googleapis = Path(google.rpc.__path__[0]).parent.parent
    with tempfile.TemporaryDirectory() as folder:
        dependencies = Path(folder) / "dependencies.binpb"
        generate.write_dependencies(dependencies)
        inputs = [f"--descriptor_set_in={dependencies}", f"-I{PROTO}", f"-I{googleapis}"]
        command = [sys.executable, "-m", "grpc_tools.protoc", *inputs, *sys.argv[1:], *generate.OURS]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
