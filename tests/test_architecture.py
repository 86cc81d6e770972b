"""Imports point one way, the three page packages stay where they belong, modules stay short."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "fer_core").rglob("*.py"))

#: Each room and the rooms that it may import from.
ALLOWED = {
    "labels": set(),
    "paths": set(),
    "freed_memory": set(),
    "cores": set(),
    "data": {"labels", "paths"},
    "models": {"labels", "paths", "data"},
    "runs": {"labels", "paths", "data", "models"},
    "training": {"labels", "paths", "freed_memory", "data", "models", "runs"},
    "inference": {"labels", "paths", "cores", "data", "models", "runs"},
    "comparison": {"labels", "paths", "data", "models", "runs", "training", "inference"},
    "ui": {"labels", "paths", "data", "models", "runs", "training", "inference", "comparison"},
    "cli": {"labels", "paths", "data", "models", "runs", "training", "inference", "comparison"},
    "__main__": {"freed_memory", "cli"},
    "__init__": set(),
}


def _imports(path: Path) -> set[str]:
    """Every module that a file names in an import, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    room = path.relative_to(ROOT / "fer_core").parts[0].removesuffix(".py")
    inner = {name.split(".")[1] for name in _imports(path) if name.startswith("fer_core.")}
    assert inner <= ALLOWED[room] | {room}, f"{path.name} reaches into {inner - ALLOWED[room]}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_packages_stay_where_they_belong(path: Path) -> None:
    place = path.relative_to(ROOT / "fer_core").as_posix()
    packages = {name.split(".")[0] for name in _imports(path)}
    assert "gradio" not in packages or place.startswith("ui/")
    assert "plotly" not in packages or place.startswith("ui/figures/")
    assert "facenet_pytorch" not in packages or place == "inference/detect.py"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 320


def test_training_imports_none_of_the_page_packages() -> None:
    code = (
        "import sys, fer_core.cli, fer_core.training.run, fer_core.training.evaluation; "
        "print([name for name in ('gradio', 'plotly', 'facenet_pytorch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_command_line_answers_without_loading_torch() -> None:
    """Its help and its refusals come at once; each command imports what it computes with."""
    code = "import sys, fer_core.cli; print([m for m in ('torch', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
