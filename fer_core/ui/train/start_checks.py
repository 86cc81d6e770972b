"""What a run would fail by in its first minute, said beside the button before it starts."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from fer_core.comparison.wording import whole_percent
from fer_core.data.votes import has_votes
from fer_core.paths import RunFolder, checkpoint_folder
from fer_core.runs.config import RunConfig
from fer_core.ui.shared.form_words import LABELS
from fer_core.ui.train.run_form import source_name


def what_is_missing(config: RunConfig) -> str:
    """All that a run of this configuration would fail by at once, "" when nothing is known."""
    missing = []
    if config.votes_share and not has_votes(config.data):
        missing.append(
            f"it wants {whole_percent(config.votes_share)} of the target from FER+ votes "
            f"(votes_share), and {source_name(config.data)} has none. Choose FER2013 with its "
            "votes in the Data tab (fer2013new.csv beside its csv, or a parquet file that has "
            "them), or set “Share of the FER+ votes” to 0 under “All other settings”."
        )
    # os.path says no where pathlib raises, as for a name that is too long
    if config.views and not os.path.isfile(os.path.expanduser(config.views)):
        call = shlex.join(["views", "--data", config.data, "--out", config.views])
        missing.append(
            f"the file of views {config.views} is not there. Make it with python -m fer_core "
            f"{call} (some 20 minutes for FER2013), or leave “Other views of the images” empty."
        )
    for field, named in (("start_from", (config.start_from,)), ("teachers", config.teachers)):
        for path in filter(None, named):
            if not os.path.isfile(RunFolder(checkpoint_folder(path)).weights):
                title, file = LABELS[field][0], RunFolder(Path()).weights.name
                missing.append(
                    f"there is no checkpoint in {path}: no {file} lies there. Name the folder of a "
                    f"run or of a shipped model in “{title}” under “All other settings”, or leave "
                    "that empty."
                )
    return " Also, ".join(missing)
