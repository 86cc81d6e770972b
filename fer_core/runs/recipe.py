"""`Recipe`: a named, ready `RunConfig` with a title and a sentence for the page."""

from __future__ import annotations

from dataclasses import dataclass

from fer_core.runs.config import RunConfig


@dataclass(frozen=True)
class Recipe:
    """system: letter of the reference system that it repeats, or "".

    A recipe of a reference system brings its own split; for the others the Data tab decides.
    """

    name: str
    title: str
    description: str
    config: RunConfig
    system: str = ""


def recipe(name: str, title: str, description: str, system: str = "", **settings: object) -> Recipe:
    return Recipe(name, title, description, RunConfig(recipe=name, **settings), system)
