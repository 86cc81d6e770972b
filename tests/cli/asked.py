"""What a command answers with --json."""

import json

import pytest

from fer_core.cli import main


def json_of(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> object:
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)
