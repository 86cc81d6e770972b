"""A visitor of a page without a browser: fills widgets, presses, sees what the events send back."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pandas as pd


class Visitor:
    """Widgets are called by their elem_id, or by their label where they have none
    (the first of that label).

    values: what every component holds; shown: widget → what was sent to it, visible and such. The
    `change` of a component is not sent by itself.
    """

    def __init__(self, page: gr.Blocks) -> None:
        self.page = page
        self.names: dict[str, int] = {}
        for key, block in page.blocks.items():
            for name in (getattr(block, "label", None), block.elem_id):
                if name:
                    self.names.setdefault(name, key)
        self.values = {key: getattr(block, "value", None) for key, block in page.blocks.items()}
        for key, block in page.blocks.items():
            if isinstance(block, gr.Dataframe):
                self.values[key] = pd.DataFrame([], columns=block.headers)
        self.shown: dict[int, dict[str, Any]] = {}

    def fills(self, widget: str, value: Any) -> None:
        self.values[self.names[widget]] = value

    def holds(self, widget: str) -> Any:
        return self.values[self.names[widget]]

    def sees(self, widget: str, what: str) -> Any:
        """A property of a widget as it was sent last, else as it was built."""
        key = self.names[widget]
        return self.shown.get(key, {}).get(what, getattr(self.page.blocks[key], what, None))

    def reaches(self, widget: str) -> bool:
        """Whether it and all that is around it is visible."""
        block = self.page.blocks[self.names[widget]]
        while block is not None:
            shown = self.shown.get(block._id, {})
            if not shown.get("visible", getattr(block, "visible", True)):
                return False
            block = block.parent
        return True

    def does(self, widget: str, name: str = "click", **told: Any) -> None:
        """Every event of that name, and what follows it. told: the event's data."""
        for event in list(self.page.fns.values()):
            if (self.names[widget], name) in event.targets:
                self._run(event, told)

    def meets(self, handler: str, where: str) -> None:
        """The first event with that handler in the builder `where`, such as a State's change."""
        self._run(
            next(
                event
                for event in self.page.fns.values()
                if event.name == handler and f"{where}.<locals>" in str(event.fn)
            ),
            {},
        )

    def _run(self, event: Any, told: dict[str, Any]) -> None:
        if event.fn is not None:
            given = [self.values[block._id] for block in event.inputs]
            for place, name in enumerate(inspect.signature(event.fn).parameters):
                if name == "request":
                    given.insert(place, SimpleNamespace(session_hash="me"))
                elif name == "event":
                    given.insert(place, SimpleNamespace(**told))
            found = event.fn(*given)
            for step in found if isinstance(found, Iterator) else [found]:
                parts = [step] if len(event.outputs) == 1 else step
                for block, part in zip(event.outputs, parts or (), strict=bool(event.outputs)):
                    self._take(block._id, part)
        for following in list(self.page.fns.values()):
            if following.trigger_after == event._id:
                self._run(following, told)

    def _take(self, key: int, part: Any) -> None:
        block = self.page.blocks[key]
        if isinstance(part, gr.blocks.Block):
            part = part.constructor_args
        elif not (isinstance(part, dict) and part.get("__type__") == "update"):
            part = {"value": part}
        if isinstance(block, gr.Dataframe) and isinstance(part.get("value"), list):
            part = {**part, "value": pd.DataFrame(part["value"], columns=block.headers)}
        self.shown.setdefault(key, {}).update(part)
        if "value" in part:
            self.values[key] = part["value"]
