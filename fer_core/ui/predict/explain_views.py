"""What a label rests on, as a picture and a sentence on the face's card."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

from fer_core.inference.draw import draw_explanation
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.inference.saliency import Explanation
from fer_core.ui.predict.predict_views import data_uri, percent

#: The largest faces of a picture that are explained.
MOST_EXPLAINED = 6
#: No further face is begun after so many seconds: a large network needs a while for each.
MOST_SECONDS = 12.0


def explained(predictor: Predictor, predictions: Sequence[FacePrediction]) -> list[str]:
    """HTML for the cards of the first faces, in their order; as many as time allows, at least one.

    The last says so where faces were left out.
    """
    start, parts = time.perf_counter(), []
    for prediction in predictions[:MOST_EXPLAINED]:
        if parts and time.perf_counter() - start > MOST_SECONDS:
            break
        parts.append(explanation_html(prediction, predictor.explain(prediction)))
    if len(parts) < len(predictions):
        parts[-1] += '<p class="note explained">No more faces than these are explained at once.</p>'
    return parts


def explanation_html(prediction: FacePrediction, explanation: Explanation) -> str:
    """The coloured face, beside it what the colours mean and what the strongest cover does."""
    name = f"<strong>{escape(prediction.label)}</strong>"
    cover = explanation.strongest
    if not explanation.decisive:
        said = f"No single square that was covered took much from {name}."
    else:
        said = (
            f"Covering the outlined square takes {name} from "
            f"{percent(explanation.probability)} to {percent(cover.probability)}."
        )
    picture = data_uri(draw_explanation(prediction.face, explanation), "PNG")
    return (
        f'<div class="explained"><img src="{picture}" alt="What {escape(prediction.label)} rests '
        f'on: the face with coloured parts"><p>{said}'
        f'<span class="key"><i class="loses"></i>covered, {name} loses'
        f'<i class="gains"></i>it gains</span></p></div>'
    )
