"""A server that is measured runs the code of its own checkout."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.checkouts import ROOT, Checkout, WrongCheckout, environment, here, other


def test_this_checkout_runs_its_own_code() -> None:
    here().prove()


def test_an_environment_that_imports_another_checkout_is_refused(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    checkout = Checkout("another", tmp_path)
    checkout.python.parent.mkdir(parents=True)
    checkout.python.write_text(f'#!/bin/sh\nexec {here().python} "$@"\n')
    checkout.python.chmod(0o755)
    with pytest.raises(WrongCheckout, match="imports"):
        checkout.prove()


def test_an_unknown_commit_is_refused() -> None:
    with pytest.raises(WrongCheckout, match="no commit"):
        other("0000000000")


def test_variables_that_change_code_or_settings_do_not_reach_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "TRACKSIDE_WORKERS", "MAKEFLAGS"):
        monkeypatch.setenv(name, "1")
    assert not {"PYTHONPATH", "TRACKSIDE_WORKERS", "MAKEFLAGS"} & environment().keys()
    assert "PATH" in environment()
