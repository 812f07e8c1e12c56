"""What the README tells a new user to do."""

import re
from pathlib import Path

import pytest

from .launching import Serve

README = Path(__file__).parents[1] / "README.md"


def test_the_example_sends_its_event_and_prints_that_it_was_accepted(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    example, callbacks = re.findall("```python\n(.*?)```", README.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    for code in (example, example.splitlines()[0] + "\n" + callbacks + "client.close()"):
        exec(code.replace("localhost:50051", server.target), names)
    (record,) = server.records()
    assert (record["event"], record["properties"], record["writeKey"]) == ("Order Completed", {"total": 12.5}, "my-key")
    assert capsys.readouterr().out == f"accepted {record['messageId']}\n"
