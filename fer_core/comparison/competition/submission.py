"""Predictions of unlabelled faces and the CSV that they are handed in as: columns id, emotion.

Enters: a checkpoint and faces. Leaves: probabilities, batch by batch, and a table for the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_core.comparison.answers import BATCH, probability_batches
from fer_core.data.csv_files import csv_form
from fer_core.data.entries import Entry
from fer_core.data.faces import UNLABELLED, DataError, Faces, Unreadable
from fer_core.labels import FER2013_CLASSES
from fer_core.runs.checkpoint import Checkpoint

ID, EMOTION, NAME = "id", "emotion", "name"
PROBABILITY = "probability_"


@dataclass(frozen=True)
class Predictions:
    """What a checkpoint says of faces: probabilities float32 (N, classes), ids str (N,).

    ids are numbers of rows where the source has rows (`row_ids`), else paths inside the source.
    """

    probabilities: np.ndarray
    ids: np.ndarray
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labels(self) -> np.ndarray:
        """int64 (N,), the most probable class of each face, a place in class_names."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidences(self) -> np.ndarray:
        """float32 (N,), the probability of that class."""
        return self.probabilities.max(axis=1)


def predict_faces(
    checkpoint: Checkpoint, faces: Faces, batch_size: int = BATCH
) -> Iterator[tuple[int, Predictions | None]]:
    """Classify every face; yields (faces done, None) after each batch and the result with the last.

    Raises DataError for a set without faces.
    """
    if not len(faces):
        raise DataError("there is no face to predict; give a file with at least one row of pixels")
    rows = []
    every = np.arange(len(faces))
    for done, part in probability_batches(checkpoint, faces, every, batch_size):
        rows.append(part)
        if done < len(faces):
            yield done, None
    yield (
        len(faces),
        Predictions(np.concatenate(rows), row_ids(faces.ids), checkpoint.class_names),
    )


def row_ids(ids: Sequence[str] | np.ndarray) -> np.ndarray:
    """str (N,): "row 12" becomes "12", counted from 0 as in the file; other ids stay."""
    texts = [str(text) for text in ids]
    if all(text.startswith("row ") and text[4:].isdecimal() for text in texts):
        texts = [text[4:] for text in texts]
    return np.array(texts, dtype=np.str_)


def submission_table(
    predictions: Predictions, names: bool = False, probabilities: bool = False
) -> pd.DataFrame:
    """The file to hand in: id and emotion, one row per face in the file's order.

    emotion is FER2013's number; a checkpoint with a class that FER2013 does not have gives names.
    names: a column with the class's name; probabilities: one column for each class.
    """
    classes = predictions.class_names
    labels = predictions.labels
    numbered = set(classes) <= set(FER2013_CLASSES)
    codes = [FER2013_CLASSES.index(name) for name in classes] if numbered else list(classes)
    table = pd.DataFrame({ID: predictions.ids, EMOTION: [codes[label] for label in labels]})
    if names:
        table[NAME] = [classes[label] for label in labels]
    if probabilities:
        for place, name in enumerate(classes):
            table[f"{PROBABILITY}{name}"] = predictions.probabilities[:, place].round(5)
    return table


def read_small_csv(name: str, content: bytes, most_rows: int) -> Faces:
    """The faces of a small csv with a column of pixels, kept in memory and nowhere else.

    For files of strangers: nothing is written to the cache. Rows that cannot be read are in
    `Faces.unreadable`; labels, if any, are left out. Raises DataError when it is no such csv or has
    more than `most_rows` rows.
    """
    form = csv_form(name, lambda: io.BytesIO(content), len(content))
    images: list[np.ndarray] = []
    ids: list[str] = []
    unreadable: list[Unreadable] = []
    for item in form.entries():
        if isinstance(item, Entry):
            images.append(item.content)  # type: ignore[arg-type]
            ids.append(item.where)
        else:
            unreadable.append(item)
        if len(images) + len(unreadable) > most_rows:
            raise DataError(
                f"{name} has more than {most_rows:,} rows; this page takes files of up to "
                f"{most_rows:,}. Cut it, or run the app on your own computer"
            )
    if not images:
        reason = f" ({unreadable[0].where}: {unreadable[0].reason})" if unreadable else ""
        raise DataError(f"no row of {name} can be read{reason}")
    labels = np.full(len(images), UNLABELLED, dtype=np.int64)
    return Faces(
        np.stack(images),  # (N, S, S, 1): rows of another length are unreadable
        labels,
        np.array(ids, dtype=np.str_),
        FER2013_CLASSES,
        name=name,
        unreadable=tuple(unreadable),
    )
