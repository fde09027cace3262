"""A caption, read by a recurrent encoder that learns with the GAN.

Shapes: N pictures, L words at most, V words known, E embedding width, H the GRU's width. Raw is int64
[N, L], the words' places in the vocabulary from 1; 0 behind the caption's end.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgan.conditions.base import EXAMPLES, Caption, ConditionEncoder, column, refuse_unknown
from cgan.registry import closest
from cgan.types import Cond, Raw

TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|[,.;]")  # words, and what parts a sentence
BANK = 256  # captions of the data that `sample` draws from
MOST_WORDS, LONGEST_CAPTION = 4096, 64  # in the vocabulary; words in a caption
NEIGHBOURS = (-2, -1, 1, 2)  # places of the words that a left-out word is guessed from
WITHHELD = 0.5  # share of these that are hidden, so that "an _ mouth" does not always give "open" away
GUESSING = 128  # width of the layer that guesses


def words(text: str) -> list[str]:
    """A text's words and commas, in small letters."""
    return TOKEN.findall(text.lower())


@dataclass(frozen=True, kw_only=True)
class Text:
    """A caption through a gated recurrent unit (Cho et al. 2014)."""

    form: ClassVar[str] = "text"
    vocabulary: tuple[str, ...] = ()  # the data's words, by the alphabet
    length: int = 0  # words in the data's longest caption
    longest: int = 300  # characters that a caption may have
    embedding: int = 48
    hidden: int = 96  # width of the GRU, and of what the auxiliary head reads off a picture
    examples: tuple[str, ...] = ()

    def __post_init__(self):
        if len(set(self.vocabulary)) != len(self.vocabulary) or len(self.vocabulary) > MOST_WORDS:
            raise ValueError(f"text vocabulary must be distinct words, at most {MOST_WORDS}")
        if not 0 <= self.length <= LONGEST_CAPTION or min(self.longest, self.embedding, self.hidden) < 1:
            raise ValueError(
                f"text length must be from 0 to {LONGEST_CAPTION} words; longest, embedding and hidden at "
                "least 1"
            )

    def fit(self, targets: Mapping[str, Any]) -> Text:
        """With the data set's words, its longest caption and its first ones. ValueError if it has none."""
        captions = [caption for row in column(targets, self.form) for caption in row]
        counts, length = Counter[str](), 0
        for tokens in map(words, captions):
            counts.update(tokens)
            length = max(length, len(tokens))
        if not counts:
            raise ValueError("the data set's column 'text' has no words")
        known = sorted(word for word, _ in counts.most_common(MOST_WORDS))
        first = [row[0] for row in targets[self.form][: 4 * EXAMPLES] if row]
        return dataclasses.replace(
            self,
            vocabulary=tuple(known),
            length=min(length, LONGEST_CAPTION),
            examples=tuple(caption for caption in first if len(caption) <= self.longest)[:EXAMPLES],
        )

    def build(self) -> TextEncoder:
        return TextEncoder(self)


class TextEncoder(ConditionEncoder):
    """Words [N, L] in, the GRU's state behind the last of them and a 1 out, [N, H + 1]; zeros where there are
    none."""

    form = Text.form

    def __init__(self, options: Text):
        if not options.vocabulary or not options.length:
            raise ValueError("text must know at least one word and read at least one")
        super().__init__(torch.zeros(BANK, options.length, dtype=torch.long))
        self.options = options
        self.places = {word: place for place, word in enumerate(options.vocabulary, start=1)}
        self.vector_dim, self.auxiliary_dim = options.hidden + 1, options.hidden
        self.embedding = nn.Embedding(len(options.vocabulary) + 1, options.embedding)
        self.gru = nn.GRU(options.embedding, options.hidden, batch_first=True)
        self.guess = nn.Sequential(
            nn.Linear(len(NEIGHBOURS) * options.embedding + options.hidden, GUESSING),
            nn.ReLU(),
            nn.Linear(GUESSING, len(options.vocabulary) + 1),
        )

    def fields(self) -> tuple[Caption]:
        return (Caption(self.form, self.options.examples, self.options.longest),)

    def parse(self, values: Mapping[str, Any]) -> Raw:
        """{"text": "a happy face, red hair"} -> [1, L]; unknown words are left out, see `remarks`.

        Raises ValueError if it is missing, too long, or has no word that is known.
        """
        refuse_unknown(values, [self.form])
        text, example = str(values.get(self.form, "")), "".join(self.options.examples[:1])
        if len(text) > self.options.longest:
            raise ValueError(f"text must have at most {self.options.longest} characters, got {len(text)}")
        known = [word for word in words(text) if word in self.places]
        if not any(word[0].isalnum() for word in known):
            raise ValueError(f"text has no word that this model knows; accepted: such as {example!r}")
        return self._places(known)[None]

    def remarks(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """The words that are unknown, with what they may have meant, and whether the caption is too long."""
        given = words(str(values.get(self.form, ""))[: self.options.longest])
        unknown = [word for word in dict.fromkeys(given) if word[0].isalnum() and word not in self.places]
        found = [f"unknown word: {word!r}.{closest(word, list(self.places))}" for word in unknown]
        if sum(word in self.places for word in given) > self.options.length:
            found.append(f"only the first {self.options.length} words are read")
        return tuple(found)

    def encode(self, targets: Mapping[str, Any]) -> Raw:
        """Of picture k's captions the k-th, from the first again when they are through."""
        rows = targets[self.form]
        captions = (row[k % len(row)] if row else "" for k, row in enumerate(rows))
        return torch.stack([self._places(words(caption)) for caption in captions])

    def _places(self, tokens: list[str]) -> Tensor:
        """[L]."""
        places = [self.places[word] for word in tokens if word in self.places][: self.options.length]
        return torch.tensor(places + [0] * (self.options.length - len(places)), dtype=torch.long)

    def decode(self, raw: Raw) -> dict[str, np.ndarray]:
        """The captions as they were read, str [N]."""
        known = ("", *self.options.vocabulary)
        texts = [" ".join(known[place] for place in row if place) for row in raw.tolist()]
        return {self.form: np.array([re.sub(r" ([,.;])", r"\1", text) for text in texts], dtype=str)}

    def null(self, count: int) -> Raw:
        return torch.zeros(count, self.options.length, dtype=torch.long)

    def embed(self, raw: Raw) -> Cond:
        """In full precision: a recurrence gathers rounding errors."""
        ends = (raw > 0).sum(1)  # [N]
        with torch.autocast(raw.device.type, enabled=False):
            states, _ = self.gru(self.embedding(raw))  # [N, L, H]
            last = states[torch.arange(len(raw), device=raw.device), (ends - 1).clamp(min=0)]
        return Cond(vector=F.pad(last, (0, 1), value=1.0) * (ends > 0)[:, None])

    def auxiliary_loss(self, auxiliary: Tensor, raw: Raw, cond: Cond) -> Tensor:
        """How badly each of a caption's words is guessed from some of its neighbours and the picture, which
        the head's output stands for: the mean cross-entropy over the words, [N]. "A _ nose" leaves it to the
        picture to say "small". So that the embedding says it too, words are guessed from it as well.

        Guessing a word from its neighbours is Mikolov et al. 2013 (continuous bag of words); with a picture's
        help, Lu et al. 2019 ("ViLBERT", section 3.2); to have a generator's picture say its caption, Qiao et
        al. 2019 ("MirrorGAN", section 3.3).
        """
        loss = self._guessing(auxiliary, raw)
        return loss + self._guessing(cond.vector[:, :-1], raw) if cond.vector.requires_grad else loss

    def _guessing(self, meaning: Tensor, raw: Raw) -> Tensor:
        """meaning [N, H], raw [N, L] -> [N]."""
        far = max(NEIGHBOURS)
        padded, length = F.pad(raw, (far, far)), raw.shape[1]
        near = torch.stack([padded[:, far + k : far + k + length] for k in NEIGHBOURS], dim=2)
        near = near * (torch.rand(near.shape, device=near.device) >= WITHHELD)  # [N, L, 4]
        seen = [self.embedding(near).flatten(2), meaning.float()[:, None].expand(-1, length, -1)]
        losses = F.cross_entropy(self.guess(torch.cat(seen, dim=2)).mT, raw, reduction="none")  # [N, L]
        said = raw > 0
        return (losses * said).sum(1) / said.sum(1).clamp(min=1)
