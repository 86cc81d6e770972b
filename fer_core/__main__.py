"""`python -m fer_core`: everything the page does, from the command line."""

from fer_core.cli import main
from fer_core.freed_memory import keep_freed_memory

if __name__ == "__main__":
    keep_freed_memory()
    raise SystemExit(main())
