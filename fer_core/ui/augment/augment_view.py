"""What the Augment tab shows: one face, its random variants, and what a model says of them.

Knows no Gradio. Sliders speak in percent, degrees and pixels; policies in shares.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from fer_core.comparison.wording import whole_percent
from fer_core.data.augment import augment
from fer_core.data.faces import DataError, Faces
from fer_core.data.policies import LIMITS, POLICIES, AugmentPolicy
from fer_core.inference.photo import read_photo
from fer_core.inference.predictor import Predictor, middle_square
from fer_core.labels import canonical_name, colour
from fer_core.runs.checkpoint import Checkpoint
from fer_core.ui.shared.face_grid import GridFace, face_grid

DRAWS = 12
#: A larger face of a set is scaled down before it is varied; in pixels.
_LARGEST_SIDE = 224


@dataclass(frozen=True)
class Strength:
    """One slider. A policy's field times `factor` is what it shows; its title says the unit."""

    field: str
    title: str
    explanation: str
    factor: float = 1.0
    step: float = 1.0

    @property
    def highest(self) -> float:
        return LIMITS[self.field] * self.factor


STRENGTHS = (
    Strength("flip_probability", "Flip, %", "Chance of a mirror image.", 100, 5),
    Strength("rotation_degrees", "Rotation, ±°", "Turns the face either way."),
    Strength("shift_fraction", "Shift, ±%", "Moves it, in parts of the side.", 100),
    Strength("zoom_fraction", "Zoom, ±%", "Enlarges or shrinks it.", 100),
    Strength("shear_degrees", "Shear, ±°", "Leans it like slanted type."),
    Strength("crop_fraction", "Crop, up to %", "Area cut away at its edges; the rest grows.", 100),
    Strength(
        "surroundings_probability",
        "Other surroundings, %",
        "Chance that its margin, and what lies beyond it, show something else.",
        100,
        5,
    ),
    Strength("brightness", "Brightness, ±%", "Lighter or darker.", 100),
    Strength("contrast", "Contrast, ±%", "Harder or flatter light.", 100),
    Strength("saturation", "Saturation, ±%", "Stronger or paler colours; grey stays grey.", 100),
    Strength(
        "autocontrast_probability",
        "Autocontrast, %",
        "Chance that the darkest tone turns black and the brightest white.",
        100,
        5,
    ),
    Strength(
        "equalise_probability",
        "Equalise, %",
        "Chance that dark, middle and bright tones become equally frequent.",
        100,
        5,
    ),
    Strength("noise_std", "Noise, up to %", "Grain of a weak camera.", 100),
    Strength("blur_pixels", "Blur, up to px", "Out of focus.", 1, 0.1),
    Strength("erase_probability", "Erasing, %", "Chance of a covered part.", 100, 5),
    Strength("erase_fraction", "Covered area, %", "At most, of the face.", 100),
)


@dataclass(frozen=True)
class Subject:
    """The face that is varied. image: uint8 (H, W, C). label: what the set calls it, or "".

    where: a phrase that says where it came from.
    """

    image: np.ndarray
    label: str
    where: str


def policy_of(values: Sequence[float | None]) -> AugmentPolicy:
    """The policy of slider values in the order of `STRENGTHS`; an emptied field counts as 0."""
    return AugmentPolicy(
        **{
            strength.field: round((value or 0.0) / strength.factor, 6)
            for strength, value in zip(STRENGTHS, values, strict=True)
        }
    )


def slider_values(policy: AugmentPolicy) -> list[float]:
    """The inverse of `policy_of`."""
    return [round(getattr(policy, item.field) * item.factor, 6) for item in STRENGTHS]


def pick_face(faces: Faces, class_name: str, number: int) -> Subject:
    """Face `number` (from 1, past the end counts as the last) of a class of the set."""
    pool = class_indices(faces, class_name)
    if not len(pool):
        raise DataError(f"The set has no face labelled {class_name!r}; choose another expression.")
    number = min(max(number, 1), len(pool))
    image = np.array(faces.images[pool[number - 1]])
    if max(image.shape[:2]) > _LARGEST_SIDE:
        image = _reduced(image)
    return Subject(image, class_name, f"face {number:,} of {len(pool):,} labelled {class_name}")


def class_indices(faces: Faces, class_name: str) -> np.ndarray:
    """int64 (n,), the images of one class in the order of the set."""
    if class_name not in faces.class_names:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(faces.labels == faces.class_names.index(class_name))


def photo_face(
    source: Path | str | bytes, predictor: Predictor | None, image_size: int = 48
) -> Subject:
    """The largest face of a photo as the model sees it; without a model the photo's middle square.

    PhotoError when the file is no usable picture.
    """
    photo = read_photo(source)  # (H, W, 3)
    if predictor is None:
        middle = Image.fromarray(middle_square(photo)).convert("L").resize((image_size, image_size))
        return Subject(np.asarray(middle)[:, :, None], "", "the middle of your photo")
    found = predictor.predict(photo)
    if found:
        return Subject(found[0].face, "", "the largest face found in your photo")
    whole = predictor.predict(photo, whole_picture=True)[0]
    return Subject(whole.face, "", "the middle of your photo: no face was found in it")


def draw_variants(image: np.ndarray, policy: AugmentPolicy, seed: int) -> np.ndarray:
    """uint8 (DRAWS, H, W, C): variants exactly as training draws them. image: uint8 (H, W, C)."""
    unit = torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div_(255)  # (C, H, W)
    batch = unit.unsqueeze(0).repeat(DRAWS, 1, 1, 1)  # (DRAWS, C, H, W)
    varied = augment(batch, policy, torch.Generator().manual_seed(seed))
    return varied.mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def variants_html(subject: Subject, variants: np.ndarray, judge: Checkpoint | None) -> str:
    """The original beside its variants, and what `judge` says of each, as HTML."""
    pictures = np.concatenate([subject.image[None], variants])  # (1 + DRAWS, H, W, C)
    says = [("", 0.0)] * len(pictures)
    if judge is not None:
        probabilities = judge.probabilities(pictures)
        best = probabilities.argmax(axis=1)
        says = [
            (judge.class_names[k], float(row[k]))
            for k, row in zip(best, probabilities, strict=True)
        ]
    wanted = _reference(subject, judge, says[0][0])
    cells = [_cell(picture, *said, wanted) for picture, said in zip(pictures, says, strict=True)]
    words = _verdict(subject, wanted, [label for label, _ in says[1:]], judge)
    return (
        f'<div class="before-after"><section><h2>Original</h2>{face_grid(cells[:1])}'
        f'<p class="note">{html.escape(subject.where)}</p></section>'
        f"<section><h2>Twelve random draws</h2>{face_grid(cells[1:])}</section></div>"
        f'<p class="verdict">{words}</p>'
    )


def cautions(policy: AugmentPolicy) -> list[str]:
    """Which of the strengths may show a viewer another expression than the label, and why."""
    found = []
    if policy.rotation_degrees > 30:
        found.append(
            "**Rotation above 30°**: in a face on its side or head, mouth corners that point up "
            "point elsewhere; people name such faces badly, too."
        )
    if policy.erase_probability and policy.erase_fraction > 0.2:
        found.append(
            "**Erasing over a fifth of the face** can hide the mouth or the brows; what is left "
            "of a smile or of surprise may look neutral."
        )
    if policy.shift_fraction > 0.2:
        found.append("**Shift above 20 %** can push the mouth or the brows out of the picture.")
    if policy.zoom_fraction > 0.3:
        found.append("**Zoom above 30 %** can crop the mouth or the brows away.")
    if policy.crop_fraction > 0.4:
        found.append("**Crop above 40 % of the area** can cut the mouth or the brows off.")
    if policy.shear_degrees > 20:
        found.append("**Shear above 20°** slants mouth and brows: one corner rises as if in scorn.")
    if policy.blur_pixels > 1.5:
        found.append(
            "**Blur above 1.5 pixels** wipes out narrowed lids and a wrinkled nose: "
            "fear, disgust and anger start to look alike."
        )
    if policy.noise_std > 0.2:
        found.append("**Noise above 20 %** drowns fine lines around eyes and nose.")
    if policy.brightness > 0.4 or policy.contrast > 0.6:
        found.append(
            "**Strong light changes** turn parts of the face into plain black or white, "
            "and the shadows that show a frown with them."
        )
    return found


def _reduced(image: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    picture.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    pixels = np.asarray(picture)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _reference(subject: Subject, judge: Checkpoint | None, said: str) -> str:
    """What a draw should be called: the set's label where the model knows it, else its own word."""
    known = {canonical_name(name) for name in judge.class_names} if judge else set()
    label = canonical_name(subject.label)
    return label if label in known else said


def _cell(picture: np.ndarray, said: str, confidence: float, wanted: str) -> GridFace:
    if not said:
        return GridFace(picture, alt="a variant of the face")
    same = canonical_name(said) == canonical_name(wanted)
    return GridFace(
        picture,
        said,
        whole_percent(confidence) + ("" if same else f" · not {wanted}"),
        colour(said),
        f"a face that the model calls {said}",
    )


def _verdict(subject: Subject, wanted: str, said: list[str], judge: Checkpoint | None) -> str:
    if judge is None:
        return (
            "No trained model could be loaded, so the faces carry no predictions. "
            "Train one in the Train tab."
        )
    kept = sum(canonical_name(label) == canonical_name(wanted) for label in said)
    as_what = "its label" if subject.label else "what it calls the original"
    return (
        f"The model {html.escape(judge.folder.name)} calls <b>{kept} of {len(said)}</b> draws "
        f"<b>{html.escape(wanted)}</b>, {as_what}."
    )


def caution_text(values: list[float | None]) -> str:
    """Markdown about strengths that may change what a viewer reads in the face."""
    found = cautions(policy_of(values))
    if not found:
        return (
            "At these strengths a viewer should still see the expression of the label. "
            "A mirror image never changes it."
        )
    return "May show another expression than the label says:\n" + "\n".join(
        f"- {sentence}" for sentence in found
    )


def policy_name(values: list[float | None]) -> str | None:
    """The ready policy that the sliders stand at, None for a policy of one's own."""
    policy = policy_of(values)
    return next((name for name, ready in POLICIES.items() if ready == policy), None)
