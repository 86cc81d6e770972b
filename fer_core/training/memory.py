"""What memory there is."""

from __future__ import annotations

from pathlib import Path


def free_memory(table: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that this process could still take without swapping; None where nobody says (not
    Linux)."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None
