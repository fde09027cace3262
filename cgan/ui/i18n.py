"""Every string of the page by key, in every language. `{name}` stands for a value that is filled in.

The strings lie in texts/*.json, one file a tab: {key: {"en": ..., "zh": ...}}. The HTML carries the key beside
the English text, the script has the table.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

LANGUAGES = {"en": "English", "zh": "中文"}
TEXTS: dict[str, dict[str, str]] = {
    key: words
    for path in sorted((Path(__file__).parent / "texts").glob("*.json"))
    for key, words in json.loads(path.read_text("utf-8")).items()
}
ENGLISH: dict[str, str] = {key: words["en"] for key, words in TEXTS.items()}


def say(key: str) -> str:
    """The text of `key` for an attribute, escaped."""
    return escape(ENGLISH[key])


def text(key: str) -> str:
    """The text of `key` as HTML that another language can replace."""
    return f'<span data-text="{key}">{say(key)}</span>'
