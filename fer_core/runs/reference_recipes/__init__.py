"""The five reference systems, A to E, as recipes. What a report leaves open is said in the text.

Their published figures and how ours are compared with them stand in `runs.references`.
"""

from fer_core.runs.recipe import Recipe
from fer_core.runs.reference_recipes.fer2013 import CLASS_TARGETED, COMPETITION, TWO_PHASE
from fer_core.runs.reference_recipes.side_by_side import SIDE_BY_SIDE
from fer_core.runs.reference_recipes.six_class import SIX_CLASS

REFERENCE_RECIPES: tuple[Recipe, ...] = (
    *TWO_PHASE,
    *CLASS_TARGETED,
    *COMPETITION,
    *SIDE_BY_SIDE,
    *SIX_CLASS,
)
