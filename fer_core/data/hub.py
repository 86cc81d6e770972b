"""Data sets of the Hugging Face Hub: the parquet files of `owner/name`, downloaded once.

huggingface_hub is imported only when it is asked for; training needs neither it nor a network.
"""

from __future__ import annotations

import re
from pathlib import Path

from fer_core.data.faces import DataError
from fer_core.data.parquet_files import are_one_set

MAX_DOWNLOAD_BYTES = 20 * 2**30
#: Where the Hub itself puts a parquet copy of a data set that is stored in another form.
_CONVERTED = "refs/convert/parquet"
_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


def download_parquet(repository: str) -> list[tuple[str, Path]]:
    """The parquet files of a data set as (name in the repository, local file), sorted by name.

    Raises DataError on a wrong name, without a network, or when there is nothing to read.
    """
    if not _NAME.fullmatch(repository) or ".." in repository:
        raise DataError(f"a Hub data set is hub:owner/name, got hub:{repository[:100]}")
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, HTTPError, RevisionNotFoundError
    except ImportError as error:
        raise DataError("hub: needs the package huggingface_hub; pip install it first") from error
    try:
        for revision in ("main", _CONVERTED):
            facts = huggingface_hub.HfApi().dataset_info(
                repository, revision=revision, files_metadata=True, timeout=20
            )
            found = sorted(
                (item.rfilename, item.size or 0)
                for item in facts.siblings or []
                if item.rfilename.endswith(".parquet")
            )
            folders = {name.split("/")[0] for name, _ in found}
            several = revision == _CONVERTED and len(folders) > 1
            if found and (several or not are_one_set([name for name, _ in found])):
                listed = ", ".join(sorted(folders)[:6])
                raise DataError(
                    f"{repository} holds several data sets ({listed}); download one, give its path"
                )
            if found:
                return _downloaded(huggingface_hub, repository, revision, found)
    except RevisionNotFoundError:
        pass  # the Hub made no parquet copy of it
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no"
        raise DataError(
            f"the Hub answered {status} for the data set {repository}; check its name and whether "
            "it is public"
        ) from error
    except (HTTPError, OSError) as error:  # no network, switched off, or broken off
        raise DataError(
            f"the data set {repository} cannot be fetched: the Hub cannot be reached from here. "
            "Download it elsewhere and give the path of the file"
        ) from error
    raise DataError(
        f"the data set {repository} has no parquet files; download it and give its path"
    )


def _downloaded(
    huggingface_hub: object, repository: str, revision: str, found: list[tuple[str, int]]
) -> list[tuple[str, Path]]:
    total = sum(size for _, size in found)
    if total > MAX_DOWNLOAD_BYTES:
        limit = MAX_DOWNLOAD_BYTES / 1e9
        raise DataError(f"{repository} is {total / 1e9:.1f} GB; at most {limit:.0f} GB are fetched")
    return [
        (
            name,
            Path(
                huggingface_hub.hf_hub_download(
                    repository, name, repo_type="dataset", revision=revision
                )
            ),
        )
        for name, _ in found
    ]
