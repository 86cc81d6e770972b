"""What a label rests on, as a picture and a sentence on the face's card."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from html import escape

from fer_core.comparison.wording import whole_percent
from fer_core.inference.draw import draw_explanation
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.inference.saliency import PLACES, Explanation
from fer_core.ui.predict.predict_views import UNSURE_BELOW, data_uri

#: The largest faces of a picture that are explained.
MOST_EXPLAINED = 6
#: No further face is begun after so many seconds: a large network needs a while for each.
MOST_SECONDS = 12.0
#: One picture is explained at a time, so that other visitors' pictures are still answered.
_ONE_AT_A_TIME = threading.Lock()
_PATIENCE = 20.0


def explained(
    predictor: Predictor,
    predictions: Sequence[FacePrediction],
    unsure_below: float = UNSURE_BELOW,
) -> list[str]:
    """HTML for the cards of the first faces, in their order; as many as time allows, at least one.

    The last says so where faces were left out; the only one where others were explained meanwhile.
    """
    if not _ONE_AT_A_TIME.acquire(timeout=_PATIENCE):
        return [_note("Other pictures are being explained; change a setting to ask again.")]
    try:
        start, parts = time.perf_counter(), []
        for prediction in predictions[:MOST_EXPLAINED]:
            if parts and time.perf_counter() - start > MOST_SECONDS:
                break
            explanation = predictor.explain(prediction)
            parts.append(explanation_html(prediction, explanation, unsure_below))
    finally:
        _ONE_AT_A_TIME.release()
    if len(parts) < len(predictions):
        parts[-1] += _note("No more faces than these are explained at once.")
    return parts


def explanation_html(
    prediction: FacePrediction, explanation: Explanation, unsure_below: float = UNSURE_BELOW
) -> str:
    """The coloured face, beside it what the colours mean and what the strongest cover does.

    unsure_below: as in `predict_views.sentence`; what is below is not named as the answer.
    """
    label, cover = escape(prediction.label), explanation.strongest
    name = f"<strong>{label}</strong>"
    weak = prediction.confidence < unsure_below
    said = f"The strongest, {name}, is too weak to be named. " if weak else ""
    if explanation.decisive:
        said += (
            f"Covering the outlined square ({cover.where}) takes {name} from "
            f"{whole_percent(explanation.probability)} to {whole_percent(cover.probability)}."
        )
        most = f", most in the {cover.where}"
    else:
        said += f"No single square that was covered took much from {name}."
        most = ", no part of it much"
    if prediction.box is not None and whole_percent(prediction.confidence) != whole_percent(
        explanation.probability
    ):
        said += " Only the cut that is shown was covered; the answer is the mean of two."
    if explanation.places < PLACES:
        said += f" Coarse: this model is slow here, so {explanation.places**2} places were tried."
    picture = data_uri(draw_explanation(prediction.face, explanation), "PNG")
    return (
        f'<div class="explained"><img src="{picture}" alt="The face, coloured where covering it '
        f'changes {label}{most}"><p>{said} '
        f'<span class="key"><i class="loses"></i> covered, {name} loses; '
        f'<i class="gains"></i> it gains</span></p></div>'
    )


def _note(text: str) -> str:
    return f'<p class="note not-explained">{text}</p>'
