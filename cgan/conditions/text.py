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

from cgan.conditions.base import EXAMPLES, Caption, ConditionEncoder, Remark, column, refuse_unknown
from cgan.registry import alike, did_you_mean
from cgan.types import Cond, Raw

TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|[,.;]")  # words, and what parts a sentence
BANK = 256  # captions of the data that `sample` draws from
MOST_WORDS, LONGEST_CAPTION = 4096, 64  # in the vocabulary; words in a caption
AROUND = 2  # words before and behind a word that tell of what it is said: of a nose, or of a whole face
JUDGING = 256, 64  # widths of the layers that judge whether a word is true of a picture


def words(text: str) -> list[str]:
    """A text's words and commas, in small letters."""
    return TOKEN.findall(text.lower())


def _says_something(text: str) -> bool:
    return any(word[0].isalnum() for word in words(text))


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
        first = [row[0] for row in targets[self.form][: 4 * EXAMPLES] if row and _says_something(row[0])]
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
    reader = "Embedding → GRU"

    def __init__(self, options: Text):
        if not options.vocabulary or not options.length:
            raise ValueError("text must know at least one word and read at least one")
        super().__init__(torch.zeros(BANK, options.length, dtype=torch.long))
        self.options = options
        self.places = {word: place for place, word in enumerate(options.vocabulary, start=1)}
        self.vector_dim, self.auxiliary_dim = options.hidden + 1, options.hidden
        self.embedding = nn.Embedding(len(options.vocabulary) + 1, options.embedding)
        self.gru = nn.GRU(options.embedding, options.hidden, batch_first=True)
        around = (2 * AROUND + 1) * options.embedding
        self.saying = _hidden(around, *JUDGING)
        self.evened = nn.BatchNorm1d(options.hidden, affine=False)  # a faint reading counts as a loud one
        self.showing, self.meaning = (Judging(options.hidden, *JUDGING) for _ in range(2))

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

    def remarks(self, values: Mapping[str, Any]) -> tuple[Remark, ...]:
        """The words that are unknown, with what they may have meant, and whether the caption is too long."""
        given = words(str(values.get(self.form, ""))[: self.options.longest])
        unknown = [word for word in dict.fromkeys(given) if word[0].isalnum() and word not in self.places]
        found = [self._unknown(word) for word in unknown]
        if sum(word in self.places for word in given) > (most := self.options.length):
            found.append(Remark("too_many_words", {"most": most}, f"only the first {most} words are read"))
        return tuple(found)

    def _unknown(self, word: str) -> Remark:
        meant = alike(word, list(self.places))
        text = f"unknown word: {word!r}.{did_you_mean(meant)}"
        if meant:
            return Remark("unknown_word_meant", {"word": word, "meant": " / ".join(meant)}, text)
        return Remark("unknown_word", {"word": word}, text)

    def encode(self, targets: Mapping[str, Any]) -> Raw:
        """Of picture k's captions the k-th, from the first again when they are through."""
        rows = targets[self.form]
        captions = (row[k % len(row)] if row else "" for k, row in enumerate(rows))
        return torch.stack([self._places(words(caption)) for caption in captions])

    def check(self, raw: Raw) -> None:
        if not 0 <= raw.min() <= raw.max() <= len(self.places):
            raise ValueError(f"text has words beyond the {len(self.places)} of its vocabulary")

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
        """How badly each word of a caption, with those around it, is found true of its own picture, which the
        head's output stands for: the mean over the words, [N]. Who learns to judge must also find it untrue
        of the batch's other pictures, and both of the embeddings too, so that they say every word.

        A word is judged by itself, so that a nose counts as much as a background, and only by pictures, so
        that "tilted" asks for more than a hint of "left". What the batch says often, as a word and behind the
        word before it, counts less: else commas and articles drown "spiky". Judging words: Li et al. 2019
        ("Controllable Text-to-Image Generation"); with other captions as negatives: Reed et al. 2016.
        """
        learns = cond.vector.requires_grad
        self.evened.train(learns)  # by real pictures; the generator's are measured by what these were like
        around = F.pad(raw, (AROUND, AROUND)).unfold(1, 2 * AROUND + 1, 1)  # [N, L, 2 AROUND + 1]
        said = self.saying(self.embedding(around).flatten(2))  # [N, L, K]
        pairs = F.pad(raw, (1, 0))[:, :-1] * (len(self.places) + 1) + raw  # each word and the one before it
        weights = (raw > 0) / (_times(raw) * _times(pairs)).sqrt()  # [N, L]
        loss = _untrue(self.showing(self.evened(auxiliary.float())), said, weights, others=learns)
        if not learns:
            return loss
        return loss + _untrue(self.meaning(cond.vector[:, :-1]), said, weights, others=True)


def _untrue(shown: Tensor, said: Tensor, weights: Tensor, others: bool) -> Tensor:
    """shown [N, K], said [N, L, K], weights [N, L] -> [N]."""
    true = torch.einsum("nlk,mk->nlm", said, shown)  # of caption n's words and picture m
    own = true.diagonal(dim1=0, dim2=2).T  # [N, L]
    losses = F.softplus(-own)
    if others:
        losses = losses + (F.softplus(true).sum(2) - F.softplus(own)) / max(len(said) - 1, 1)
    return (losses * weights).sum(1) / weights.sum(1).clamp(min=1e-6)


class Judging(nn.Module):
    """A hidden layer, and beside it a linear one: most words ask for no more than a sum of readings, which is
    learned sooner so (He et al. 2016)."""

    def __init__(self, width: int, hidden: int, out: int):
        super().__init__()
        self.hidden, self.linear = _hidden(width, hidden, out), nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        """[N, width] -> [N, out]."""
        return self.hidden(x) + self.linear(x)


def _times(places: Tensor) -> Tensor:
    """How often each is among them all, [N, L]."""
    flat = places.flatten()
    return (flat == flat[:, None]).sum(1).view_as(places)


def _hidden(width: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, out))
