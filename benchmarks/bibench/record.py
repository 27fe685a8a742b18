"""What is measured is kept row by row, so that a run goes on where the last one ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["RECORD", "Record"]

RECORD = Path(__file__).with_name("record.json")

Row = dict[str, Any]


class Record:
    """The rows of a file: networks by architecture and algorithm, and their foldings by family as well.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path = RECORD) -> None:
        self.path = path
        self._rows: dict[tuple[str, str, str], Row] = {}
        self._load()

    def _load(self) -> None:
        rows: list[Row] = json.loads(self.path.read_text(encoding="utf-8"))["rows"] if self.path.exists() else []
        self._rows |= {self._key(row): row for row in rows}

    @staticmethod
    def _key(row: Row) -> tuple[str, str, str]:
        return row["architecture"], row["algorithm"], row.get("family", "")

    def has(self, architecture: str, algorithm: str, family: str = "") -> bool:
        return (architecture, algorithm, family) in self._rows

    def get(self, architecture: str, algorithm: str, family: str = "") -> Row | None:
        return self._rows.get((architecture, algorithm, family))

    @property
    def networks(self) -> list[Row]:
        return [row for row in self._rows.values() if "family" not in row]

    @property
    def foldings(self) -> list[Row]:
        return [row for row in self._rows.values() if "family" in row]

    def keep(self, row: Row) -> None:
        """Add or replace a row, and write the file, a row a line, with what another run has added to it meanwhile."""
        self._load()
        self._rows[self._key(row)] = row
        lines = ",\n".join(json.dumps(self._rows[key]) for key in sorted(self._rows))
        whole = self.path.with_suffix(".part")
        whole.write_text(f'{{"rows": [\n{lines}\n]}}\n', encoding="utf-8")
        whole.replace(self.path)
