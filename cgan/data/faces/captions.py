"""Captions of faces, and what a caption asks for: one table serves both ways.

A caption is a face and a few clauses: "a happy face with long red hair, round glasses and looking left". A
clause is a noun with adjectives; each adjective, and some nouns, name an interval of one attribute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cgan.data.faces.attributes import ATTRIBUTES, NAMES

Interval = tuple[float, float]
CAPTIONS = 3  # a face
DRAWS = 64  # random numbers of a caption, which uses 60 at most
NONE = ("no",)
CHOICES = {attribute.name: attribute.choices for attribute in ATTRIBUTES}


@dataclass(frozen=True)
class Term:
    """Words that ask for `attribute` from `low` to `high`; the last word of each tells it from others."""

    attribute: str
    low: float
    high: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """A noun and its adjectives."""

    nouns: tuple[str, ...]
    terms: tuple[Term, ...] = ()
    own: Term | None = None  # what the noun alone says
    needs: Term | None = None  # said only of such faces
    form: str = "{adjectives} {noun}"
    article: bool = False


def _named(attribute: str, **synonyms: str) -> tuple[Term, ...]:
    """A term for each choice given, as choice="word, synonym"."""
    return tuple(
        Term(attribute, *[float(CHOICES[attribute].index(choice))] * 2, tuple(words.split(", ")))
        for choice, words in synonyms.items()
    )


def _own(attribute: str, choice: str) -> Term:
    return _named(attribute, **{choice: ""})[0]


HAIR_COLOUR = _named("hair_colour", black="black", brown="brown", red="red, ginger", blonde="blonde, golden",
                     grey="grey, silver", blue="blue", pink="pink")  # fmt: skip
SHAVEN = _named("facial_hair", none="no")
GROUPS: tuple[Group, ...] = (
    Group(("face", "person", "character"), (
        Term("smile", 0.35, 1, ("happy", "smiling", "cheerful")),
        Term("smile", -1, -0.35, ("sad", "unhappy", "gloomy")),
        Term("smile", -0.25, 0.25, ("neutral", "calm", "serious")),
        Term("face_width", 0.65, 1, ("wide", "broad")),
        Term("face_width", 0, 0.35, ("narrow", "slim")),
        *_named("hair_style", bald="bald"), *_named("facial_hair", none="clean shaven", beard="bearded"),
    ), article=True),
    Group(("skin",), (
        Term("skin_tone", 0, 0.35, ("light", "pale", "fair")), Term("skin_tone", 0.65, 1, ("dark", "deep")),
        Term("skin_tone", 0.36, 0.64, ("medium", "tan")),
    )),
    Group(("hair",), (
        *_named("hair_style", short="short", spiky="spiky", curly="curly", long="long"), *HAIR_COLOUR,
    ), needs=Term("hair_style", 1, 6)),
    Group(("bob",), HAIR_COLOUR, own=_own("hair_style", "bob"), article=True),
    Group(("bun",), HAIR_COLOUR, own=_own("hair_style", "bun"), article=True),
    Group(("brows", "eyebrows"), (Term("brow_angle", 0.4, 1, ("angry", "frowning")),
                                  Term("brow_angle", -1, -0.4, ("worried", "sloping")))),
    Group(("eyes",), (
        Term("eye_openness", 0.7, 1, ("wide", "big", "open")),
        Term("eye_openness", 0.15, 0.4, ("sleepy", "tired")),
        Term("eye_openness", 0, 0.12, ("closed", "shut")),
        *_named("eye_colour", brown="brown", blue="blue", green="green", violet="violet, purple"),
    )),
    Group(("looking", "glancing"), (
        Term("gaze", -1, -0.4, ("left", "to the left")), Term("gaze", 0.4, 1, ("right", "to the right")),
        Term("gaze", -0.25, 0.25, ("ahead", "straight ahead")),
    ), form="{noun} {adjectives}"),
    Group(("nose",), (
        Term("nose_size", 0.65, 1, ("big", "large")), Term("nose_size", 0, 0.35, ("small", "tiny")),
    ), article=True),
    Group(("mouth",), (
        Term("mouth_open", 0.5, 1, ("open",)), Term("mouth_open", 0, 0.15, ("closed", "shut")),
    ), article=True),
    Group(("glasses", "spectacles"), _named("glasses", none="no", round="round", square="square"),
          own=Term("glasses", 1, 2)),
    Group(("moustache", "mustache"), SHAVEN + HAIR_COLOUR, own=_own("facial_hair", "moustache"),
          article=True),
    Group(("beard",), SHAVEN + HAIR_COLOUR, own=_own("facial_hair", "beard"), article=True),
    Group(("cap",), own=_own("hat", "cap"), article=True),
    Group(("beanie",), own=_own("hat", "beanie"), article=True),
    Group(("fedora",), own=_own("hat", "fedora"), article=True),
    Group(("hat",), _named("hat", none="no"), own=Term("hat", 1, 3), article=True),
    Group(("clothes", "clothing"), _named("clothes", **{c: c for c in CHOICES["clothes"]})),
    Group(("background", "backdrop"), _named("background", **{c: c for c in CHOICES["background"]}),
          article=True),
    Group(("tilted", "leaning"), (
        Term("tilt", -1, -0.4, ("left", "to the left")), Term("tilt", 0.4, 1, ("right", "to the right")),
    ), form="head {noun} {adjectives}"),
    Group(("lit",), (
        Term("light", -1, -0.4, ("from the left",)), Term("light", 0.4, 1, ("from the right",)),
    ), form="{noun} {adjectives}"),
)  # fmt: skip
FACE = GROUPS[0]
NOUNS = {noun: group for group in GROUPS for noun in group.nouns}
BREAK = re.compile(r"[,;.:!?]|\b(?:and|with|wearing|has|having|but)\b")


def terms(caption: str) -> dict[str, Interval]:
    """Attribute name to the closed interval of its value, in the attribute's units, that a caption asks for.
    Words that mean nothing here are passed over."""
    asked: dict[str, Interval] = {}
    for clause in BREAK.split(caption.lower()):
        for term in _read(re.findall(r"[a-z]+", clause)):
            asked[term.attribute] = (term.low, term.high)
    return asked


def _read(words: list[str]) -> Iterator[Term]:
    """The terms of one clause: adjectives belong to the noun after them; those left over ("eyes closed",
    "looking left") to the noun before, or to the face."""
    group, waiting = FACE, []
    for word in words:
        if word in NOUNS:
            group = NOUNS[word]
            if group.own:
                yield group.own
            yield from _adjectives(group, waiting)
            waiting = []
        else:
            waiting.append(word)
    yield from _adjectives(group, waiting)


def _adjectives(group: Group, words: list[str]) -> Iterator[Term]:
    for term in group.terms:
        if any(text.split()[-1] in words for text in term.words):
            yield term


def captions(
    values: np.ndarray, seen: np.ndarray, rngs: Iterable[np.random.Generator]
) -> list[tuple[str, ...]]:
    """Captions of faces from their attributes [N, A], of what is `seen` bool [N, A] only; each face has its
    own random numbers."""
    bald = values[:, NAMES.index("hair_style")] == 0
    shown = np.where(seen, values, np.nan)
    columns = [_sayable(group, shown, bald) for group in GROUPS]
    return [_captions(found, rng) for found, rng in zip(zip(*columns, strict=True), rngs, strict=True)]


def _sayable(group: Group, shown: np.ndarray, bald: np.ndarray) -> list[list[Term] | None]:
    """Of each face the adjectives that hold, or None if nothing can be said with this noun. `shown` [N, A]
    is NaN where an attribute can't be seen."""
    own = _hold([group.own], shown)[:, 0] if group.own else np.ones(len(shown), bool)
    none = np.array([term.words == NONE for term in group.terms], bool)
    held = _hold(group.terms, shown) & (own[:, None] | none)
    said = held.any(1) | own if group.own else held.any(1)
    if group.needs:
        said &= ~bald
    which = (held @ (1 << np.arange(len(group.terms)))).tolist()
    named = {k: [term for bit, term in enumerate(group.terms) if k >> bit & 1] for k in set(which)}
    return [named[k] if sayable else None for k, sayable in zip(which, said.tolist(), strict=True)]


def _hold(terms: Sequence[Term], shown: np.ndarray) -> np.ndarray:
    """bool [N, T]: which terms are true of which faces."""
    values = shown[:, [NAMES.index(term.attribute) for term in terms]]
    low, high = (np.array([getattr(term, end) for term in terms]) for end in ("low", "high"))
    return (low <= values) & (values <= high)


def _captions(found: Sequence[list[Term] | None], rng: np.random.Generator) -> tuple[str, ...]:
    """Of one face, from what can be said of it with each of GROUPS."""
    face, *others = found
    groups = [pair for pair in zip(GROUPS[1:], others, strict=True) if pair[1] is not None]
    return tuple(_caption(groups[:], face or [], iter(row)) for row in rng.random((CAPTIONS, DRAWS)).tolist())


def _caption(groups: list[tuple[Group, list[Term]]], face: list[Term], draws: Iterator[float]) -> str:
    """Says nothing twice: `said` holds the attributes named so far. Uses up `groups`."""
    said: set[str] = set()
    first = _clause(FACE, [term for term in face if next(draws) < 0.7], said, draws)
    wanted, nouns, loose = 2 + int(4 * next(draws)), [], []
    while groups and len(nouns) + len(loose) < wanted:
        k = int(len(groups) * next(draws))
        group, found = groups[k]
        groups[k] = groups[-1]
        groups.pop()
        fresh = [term for term in found if term.attribute not in said]
        if group.own.attribute not in said if group.own else fresh:
            (loose if group.form.startswith("{noun}") else nouns).append(_clause(group, fresh, said, draws))
    if nouns and next(draws) < 0.5:
        joined = " and ".join(part for part in (", ".join(nouns[:-1]), nouns[-1]) if part)
        return ", ".join([f"{first} with {joined}", *loose])
    return ", ".join([first, *nouns, *loose])


def _clause(group: Group, found: list[Term], said: set[str], draws: Iterator[float]) -> str:
    kept = [term for term in found if next(draws) < 0.75]
    if not kept and (group.own is None or NONE in [term.words for term in found]):
        kept = found[:1]
    said.update([term.attribute for term in kept])
    if group.own:
        said.add(group.own.attribute)
    words = tuple([term.words[int(len(term.words) * next(draws))] for term in kept])
    return _text(group.nouns[int(len(group.nouns) * next(draws))], words)


@lru_cache(2**14)
def _text(noun: str, adjectives: tuple[str, ...]) -> str:
    group, said = NOUNS[noun], " ".join(adjectives)
    text = group.form.format(adjectives=said, noun=noun).strip()
    if group.article and said not in NONE:
        return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"
    return text


def vocabulary() -> tuple[str, ...]:
    """Every word that captions use, sorted."""
    texts = [text for group in GROUPS for term in group.terms for text in term.words]
    texts += [*NOUNS, "a an and with head"]
    return tuple(sorted({word for text in texts for word in text.split()}))
