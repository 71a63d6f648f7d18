"""A plan as it may be handed out: without the instructor's notes and comments."""

import json
import tomllib


def without_notes(text):
    """The text of a plan with all its keys but `note`, and no comments."""
    return "\n".join(_lines(tomllib.loads(text))).strip() + "\n"


def _lines(table, place=""):
    tables = {key: value for key, value in table.items() if _are_tables(value)}
    for key, value in table.items():
        if key not in (*tables, "note"):
            # JSON's values are TOML's, but for this letter
            written = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
            yield f"{key} = {written}"
    for key, values in tables.items():
        for value in values:
            yield f"\n[[{place}{key}]]"
            yield from _lines(value, f"{place}{key}.")


def _are_tables(value):
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)
