"""Every string of the page by key, in every language. `{name}` stands for a value that is filled in.

The strings lie in texts/*.json, one file a tab: {key: {"en": ..., "zh": ...}}. The HTML is English; where it
holds one of the English texts, as a whole, static/language.js puts another language's in its place. That is
why no two keys share their English words. What the server refuses it says in English; texts/refusals.json has
the same lines with their places open, by which the page knows them again.
"""

from __future__ import annotations

import hashlib
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
TABLES: dict[str, bytes] = {
    language: json.dumps({key: words[language] for key, words in TEXTS.items()}, ensure_ascii=False).encode()
    for language in LANGUAGES
}
"""Every text of a language, as the file that the page fetches."""


def say(key: str) -> str:
    """The text of `key` for an attribute, escaped."""
    return escape(ENGLISH[key])


def text(key: str) -> str:
    """The text of `key` as HTML."""
    return f'<span data-text="{key}">{say(key)}</span>'


def version(language: str) -> str:
    """Changes with the texts of a language."""
    return hashlib.sha256(TABLES[language]).hexdigest()[:12]


def address(language: str) -> str:
    """Where the page finds the texts of a language."""
    return f"texts/{language}.json?v={version(language)}"
