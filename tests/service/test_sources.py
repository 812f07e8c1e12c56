"""The file of sources: what it may say, and when it is read again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.sources import Directory, InvalidSources, Mode, load, masked

WEBSITE = '[[source]]\nkey = "wk_website_1"\nname = "website"\n'
MAILS = '[[source]]\nkey = "wk_mails_1"\nname = "mails"\ngenerate_message_id = true\n'


class Seconds:
    """A monotonic clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sources.toml"
    path.write_text(WEBSITE, "utf-8")
    return path


def test_sources_are_enforced_where_the_file_names_no_mode(path: Path) -> None:
    assert Directory(path).mode is Mode.ENFORCE


@pytest.mark.parametrize("mode", list(Mode))
def test_mode_is_what_the_file_says(path: Path, mode: Mode) -> None:
    path.write_text(f'mode = "{mode.value}"\n{WEBSITE}', "utf-8")
    assert Directory(path).mode is mode


def test_every_key_is_taken_without_a_file() -> None:
    directory = Directory(None)
    directory.refresh()
    assert (directory.mode, directory.find("wk_website_1")) == (Mode.OPEN, None)


def test_settings_of_a_source_are_its_own(path: Path) -> None:
    path.write_text(WEBSITE + MAILS, "utf-8")
    directory = Directory(path)
    made = [source and source.generate_message_id for source in map(directory.find, ("wk_website_1", "wk_mails_1"))]
    assert made == [None, True]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (WEBSITE * 2, "has the write key wk_w… more than once"),
        ('mode = "strict"', "Invalid enum value 'strict'"),
        ("mode =", "is not valid: Invalid value"),
        ('[[source]]\nname = "website"', "missing required field `key`"),
        ('[[source]]\nkey = "k"', "missing required field `name`"),
        ('[[source]]\nkey = ""\nname = "website"', "length >= 1"),
        ('[[source]]\nkey = 5\nname = "website"', "Expected `str`, got `int`"),
        (WEBSITE + "generate_message_ids = true", "unknown field `generate_message_ids`"),
        ('[[sources]]\nkey = "k"\nname = "n"', "unknown field `sources`"),
        (b"\xff", "is not valid"),
    ],
)
def test_file_that_is_not_valid_is_a_sentence(path: Path, text: str | bytes, complaint: str) -> None:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InvalidSources) as raised:
        load(path)
    assert str(raised.value).startswith(f"The sources file {path} ")
    assert complaint in str(raised.value)
    assert "website_1" not in str(raised.value)


def test_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidSources, match=r"nowhere\.toml cannot be read: No such file or directory\.$"):
        Directory(tmp_path / "nowhere.toml")


def test_file_is_read_again_a_second_after_it_was_looked_at(path: Path) -> None:
    seconds = Seconds()
    directory = Directory(path, seconds)
    path.write_text(MAILS, "utf-8")
    seconds.now += 0.9
    directory.refresh()
    assert (bool(directory.find("wk_website_1")), bool(directory.find("wk_mails_1"))) == (True, False)
    seconds.now += 0.1
    directory.refresh()
    assert (bool(directory.find("wk_website_1")), bool(directory.find("wk_mails_1"))) == (False, True)
    path.write_text(WEBSITE + MAILS, "utf-8")
    seconds.now += 0.9
    directory.refresh()
    assert (bool(directory.find("wk_website_1")), bool(directory.find("wk_mails_1"))) == (False, True)


def test_file_that_another_replaces_is_read_again(path: Path) -> None:
    seconds = Seconds()
    directory = Directory(path, seconds)
    before = path.stat()
    other = path.with_name("new.toml")
    other.write_text(WEBSITE.replace("website_1", "website_2"), "utf-8")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(path)
    seconds.now += 1
    directory.refresh()
    assert directory.find("wk_website_2")


@pytest.mark.parametrize("change", ["not TOML", "a key twice", "removed"])
def test_last_valid_file_stays_in_force(path: Path, change: str, caplog: pytest.LogCaptureFixture) -> None:
    seconds = Seconds()
    directory = Directory(path, seconds)
    if change == "removed":
        path.unlink()
    else:
        path.write_text("mode" if change == "not TOML" else MAILS * 2, "utf-8")
    for _ in range(3):
        seconds.now += 1
        directory.refresh()
    assert directory.mode is Mode.ENFORCE
    assert directory.find("wk_website_1")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "The sources as they were stay in force." in caplog.text
    path.write_text(MAILS, "utf-8")
    seconds.now += 1
    directory.refresh()
    assert directory.find("wk_mails_1")


def test_unknown_key_is_reported_once_a_minute(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seconds = Seconds()
    directory = Directory(path, seconds)
    for key in ("wk_other_1", "wk_other_1", "unknown_1", "wk_other_1") * 5:
        directory.report_unknown(key)
    for later in (60, 59):
        seconds.now += later
        directory.report_unknown("wk_other_1")
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"dry run: no source has the write key {key}" for key in ("wk_o…", "unkn…", "wk_o…")]


def test_unknown_keys_are_reported_so_many_at_most(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    directory = Directory(path, Seconds())
    for number in range(5_000):
        directory.report_unknown(f"{number:04}-made-up")
    assert len(caplog.records) == 1_000


def test_short_key_is_not_shown_at_all() -> None:
    assert [masked(key) for key in ("12345678", "123456789", "")] == ["…", "1234…", "…"]
