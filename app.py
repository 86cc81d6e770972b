"""Start the page: `python app.py`, then open http://127.0.0.1:7860."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence

from fer_core.paths import DEFAULT_DATA, usual_data, usual_runs

# Before anything imports gradio or huggingface_hub: the page asks nothing of the outside by itself.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# Before anything imports torch: a thread that waits for another gives its core away. Waiting in a
# loop instead takes it from whatever else runs here, such as the browser that shows the webcam.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

#: An upload larger than this is refused while it arrives. FER2013's CSV is about 300 MB.
_LARGEST_UPLOAD = {"home": "1gb", "public": "50mb"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line; a Space sets host and port through the environment."""
    from fer_core.cli.arguments import folder, whole_number

    environment = os.environ
    parser = argparse.ArgumentParser(
        prog="app.py", description="Expression Lab: a page for facial-expression recognition."
    )
    parser.add_argument(
        "--data",
        type=folder,
        default=str(usual_data()),
        metavar="DIR",
        help="your data sets (data/, $FER_DATA)",
    )
    parser.add_argument(
        "--runs",
        type=folder,
        default=str(usual_runs()),
        metavar="DIR",
        help="training runs (runs/, $FER_RUNS)",
    )
    parser.add_argument(
        "--host",
        default=environment.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        help="address to listen on; 0.0.0.0 for every network (127.0.0.1, $GRADIO_SERVER_NAME)",
    )
    parser.add_argument(
        "--port",
        type=whole_number(1, 65535),
        default=environment.get("GRADIO_SERVER_PORT", "7860"),
        help="port to listen on (7860, $GRADIO_SERVER_PORT)",
    )
    parser.add_argument(
        "--public",
        action="store_true",
        default=bool(environment.get("SPACE_ID")) and environment.get("FER_OPEN") != "1",
        help="for strangers: browsing and predicting stay open; training, typed paths and "
        "deleting are closed. On a Space this is the default; FER_OPEN=1 opens it",
    )
    return parser.parse_args(arguments)


def start_notes(options: argparse.Namespace) -> list[str]:
    """What whoever starts the page should know of these options, a sentence or two for each."""
    notes = []
    if options.data != DEFAULT_DATA and not options.data.is_dir():  # not asked for, not missed
        notes.append(
            f"There is no folder {options.data}: the Data tab has the built-in sets alone until "
            "it is there."
        )
    if not options.public and options.host not in _LOOPBACK:
        notes.append(
            f"Everyone who can reach {options.host} can read the data sets of this computer and "
            "start training runs. Add --public to close that."
        )
    return notes


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    from fer_core.cores import small_work_on_one_core
    from fer_core.freed_memory import keep_freed_memory
    from fer_core.training.job import take_up_queue
    from fer_core.ui.build import LAUNCH, build_app
    from fer_core.ui.shared.open_sets import warm_up
    from fer_core.ui.shared.settings import AppSettings

    keep_freed_memory(all_of_it=False)
    small_work_on_one_core()
    settings = AppSettings(options.data, options.runs, options.public)
    take_up_queue(settings.runs_folder)
    app = build_app(settings)
    app.queue(default_concurrency_limit=4, max_size=64)
    for note in start_notes(options):
        print(note)
    try:
        app.launch(
            server_name=options.host,
            server_port=options.port,
            max_file_size=_LARGEST_UPLOAD["public" if options.public else "home"],
            prevent_thread_lock=True,
            **LAUNCH,
        )
    except OSError:  # gradio's own words name none of the options
        sys.exit(
            f"The page cannot be served at {options.host}:{options.port}: the port is taken or "
            "closed, or the address is none of this computer; try another --port, or "
            "--host 127.0.0.1."
        )
    # Beside the page, which answers from the start; a visitor who comes earlier waits for the same.
    # Not before: gradio asks its own page then, and gives up where that takes three seconds.
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    app.block_thread()


if __name__ == "__main__":
    main()
