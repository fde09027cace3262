"""A caption, read by a recurrent encoder that learns with the GAN.

Shapes: N pictures, L words at most, H numbers that a caption becomes, K that a word is judged by. Raw is
int64 [N, L], the words' places in the vocabulary from 1; 0 behind the caption's end.
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

# Chinese and Japanese put no spaces between words: each character is one, as the Chinese ones are in BERT.
SIGN = "\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc"  # kana and marks
SIGN += "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"  # Chinese
PARTS = ",.;，。；、"  # of a sentence, what stands between them
TOKEN = re.compile(rf"[{SIGN}]|[^\W_{SIGN}]+(?:[-'’][^\W_{SIGN}]+)*|[{PARTS}]")
UNSPOKEN = re.compile(rf" (?=[{PARTS}])|(?<=[{SIGN}，。；、]) (?=[{SIGN}])")  # spaces that no one writes
BANK = 256  # captions of the data that `sample` draws from
MOST_WORDS, LONGEST_CAPTION = 4096, 64  # in the vocabulary; words in a caption
AROUND = 3  # words before and behind a word that tell of what it is said: "tilted to the left"
JUDGING = 256, 64  # widths of the layers that judge whether a word is true of a picture


def words(text: str) -> list[str]:
    """A text's words, or Chinese characters, and commas, in small letters."""
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
    embedding: int = 48  # width of a word
    hidden: int = 128  # width of the GRU
    width: int = 64  # of what a caption becomes, and of what the auxiliary head reads off a picture
    examples: tuple[str, ...] = ()

    def __post_init__(self):
        if len(set(self.vocabulary)) != len(self.vocabulary) or len(self.vocabulary) > MOST_WORDS:
            raise ValueError(f"text vocabulary must be distinct words, at most {MOST_WORDS}")
        widths = self.longest, self.embedding, self.hidden, self.width
        if not 0 <= self.length <= LONGEST_CAPTION or min(widths) < 1:
            raise ValueError(
                f"text length must be from 0 to {LONGEST_CAPTION} words; longest, embedding, hidden and "
                "width at least 1"
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
    """Words [N, L] in; out [N, H + 1], by a linear layer from the highest value that each of the GRU's states
    takes over the words (Conneau et al. 2017, "Supervised Learning of Universal Sentence Representations",
    section 3.2), and a 1. What the last state must remember to its end, a maximum keeps. Zeros where there
    are no words."""

    form = Text.form
    reader = "Embedding → GRU"

    def __init__(self, options: Text):
        if not options.vocabulary or not options.length:
            raise ValueError("text must know at least one word and read at least one")
        super().__init__(torch.zeros(BANK, options.length, dtype=torch.long))
        self.options = options
        self.places = {word: place for place, word in enumerate(options.vocabulary, start=1)}
        self.vector_dim, self.auxiliary_dim = options.width + 1, options.width
        self.embedding = nn.Embedding(len(options.vocabulary) + 1, options.embedding)
        self.gru = nn.GRU(options.embedding, options.hidden, batch_first=True)
        self.leave = nn.Linear(options.hidden, options.width)
        around = (2 * AROUND + 1) * options.embedding
        self.saying = _hidden(around, *JUDGING)
        self.evened = nn.BatchNorm1d(options.width, affine=False)  # a faint reading counts as a loud one
        self.showing = Judging(options.width, *JUDGING)
        self.meaning = nn.Linear(options.width, JUDGING[-1])  # linear, as is all that reads the embedding

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
        meant = alike(word, list(self.places), least=0.75)  # a misspelt word; "girl" is no "ginger"
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
        return {self.form: np.array([UNSPOKEN.sub("", text) for text in texts], dtype=str)}

    def null(self, count: int) -> Raw:
        return torch.zeros(count, self.options.length, dtype=torch.long)

    def embed(self, raw: Raw) -> Cond:
        """In full precision: a recurrence gathers rounding errors."""
        said = raw > 0
        with torch.autocast(raw.device.type, enabled=False):
            states, _ = self.gru(self.embedding(raw))  # [N, L, hidden], each from -1 to 1
            highest = states.masked_fill(~said[..., None], -1.0).amax(1)
            vector = F.pad(self.leave(highest), (0, 1), value=1.0)
        return Cond(vector=vector * said.any(1, keepdim=True))

    def auxiliary_loss(self, auxiliary: Tensor, raw: Raw, cond: Cond) -> Tensor:
        """How badly each word of a caption, with those around it, is found true of its own picture, which the
        head's output stands for: the mean over the words, [N]. Who learns to judge must also find it untrue
        of the batch's other pictures, and in its place another word untrue of its own; and all that of the
        embeddings too, so that they say every word.

        A word is judged by itself, so that a nose counts as much as a background, and only by pictures, so
        that "tilted" asks for more than a hint of "left". What the batch says often, as a word and behind the
        word before it, counts less: else commas and articles drown "spiky". The other word stands elsewhere
        in the batch between the same words, or behind the same: "looking right" for "looking left", which
        other pictures teach too seldom to tell a glance from a light. Judging words: Li et al. 2019
        ("Controllable Text-to-Image Generation"); with other captions as negatives: Reed et al. 2016; with
        other words: Clark et al. 2020 ("ELECTRA").
        """
        learns = cond.vector.requires_grad
        self.evened.train(learns)  # by real pictures; the generator's are measured by what these were like
        shown = self.showing(self.evened(auxiliary.float()))  # [N, K]
        around = F.pad(raw, (AROUND, AROUND)).unfold(1, 2 * AROUND + 1, 1)  # [N, L, 2 AROUND + 1]
        said, most = self._say(around), len(self.places) + 1
        before, behind = around[..., AROUND - 1], around[..., AROUND + 1]
        weights = (raw > 0) / (_times(raw) * _times(before * most + raw)).sqrt()  # [N, L]
        if not learns:
            return _mean(F.softplus(-_own(shown, said)), weights)
        other = _exchanged(raw, before * most + behind)
        exchanged = self._say(torch.cat([around[..., :AROUND], other[..., None], around[..., -AROUND:]], 2))
        differs = (other != raw) & (other > 0)
        loss = shown.new_zeros(len(raw))
        for judged in (shown, self.meaning(cond.vector[:, :-1])):
            of_all = torch.einsum("mk,nlk->nlm", judged, said)  # the batch's pictures, its own among them
            own = of_all.diagonal(dim1=0, dim2=2).T
            of_others = (F.softplus(of_all).sum(2) - F.softplus(own)) / max(len(raw) - 1, 1)
            wrong = F.softplus(-own) + differs * F.softplus(_own(judged, exchanged)) + of_others
            loss = loss + _mean(wrong, weights)
        return loss

    def _say(self, around: Tensor) -> Tensor:
        """Words with those around them [N, L, 2 AROUND + 1] -> [N, L, K]."""
        return self.saying(self.embedding(around).flatten(2))


def _mean(losses: Tensor, weights: Tensor) -> Tensor:
    """Over each caption's words: [N, L] and [N, L] -> [N]."""
    return (losses * weights).sum(1) / weights.sum(1).clamp(min=1e-6)


def _own(judged: Tensor, said: Tensor) -> Tensor:
    """How true each word is found of its own: [N, K] and [N, L, K] -> logits [N, L]."""
    return torch.einsum("nk,nlk->nl", judged, said)


def _exchanged(raw: Raw, place: Tensor) -> Tensor:
    """For each word another that the batch says in the same place, or else in one with the next number, at
    random: [N, L] and [N, L] -> [N, L]. Where there is none it may be the same word, or 0."""
    words, places = raw.flatten(), place.flatten()
    order = torch.rand(len(words), device=raw.device).argsort()
    order = order[places[order].argsort(stable=True)]
    return torch.empty_like(words).scatter_(0, order, words[order].roll(1)).view_as(raw)


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
    ordered = places.flatten().sort().values
    return torch.searchsorted(ordered, places, right=True) - torch.searchsorted(ordered, places)


def _hidden(width: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, out))
