"""`python -m fer_core`: everything the page does, from the command line."""

from fer_core.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
