"""Prompts to token ids: FramePack's template, a Llama-3-style tokenizer, and CLIP's slow tokenizer.

transformers 5 has only the fast CLIP tokenizer, which treats control characters and Chinese text
differently from the slow one that FramePack loads, so the slow one's steps are written out here
around BERT's BasicTokenizer, as transformers 4 does when `ftfy` is not installed.
"""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import regex
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast
from transformers.models.bert.tokenization_bert_legacy import BasicTokenizer

from store import write_json

TEMPLATE = (
    "<|start_header_id|>system<|end_header_id|>\n\nDescribe the video by detailing the following aspects: "
    "1. The main content and theme of the video."
    "2. The color, shape, size, texture, quantity, text, and spatial relationships of the objects."
    "3. Actions, events, behaviors temporal relationships, physical movement changes of the objects."
    "4. background environment, light, style and atmosphere."
    "5. camera angles, movements, and transitions used in the video:<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>"
)
PROMPT_TOKENS = 256

LLAMA_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA_SPECIALS = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<unk>",
    "<image>",
    "<pad>",
]

CLIP_PATTERN = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    regex.IGNORECASE,
)
CLIP_BOS, CLIP_EOS = "<|startoftext|>", "<|endoftext|>"

DANCER = "The man dances energetically, leaping mid-air with fluid arm swings and quick footwork."
PROMPTS = [
    "A cat",
    "",
    DANCER,
    "I'm here, they'll say it's DON'T and WE'RE o'clock",
    "Café naïve, über Straße; decomposed e\u0301 a\u030a",
    "東京 tower 猫cat 한국어 русский ΟΔΟΣ İstanbul",
    "🙂 family 👩‍👩‍👧 flag 🇫🇷 done",
    "1234567 3.14 x86_64 $9.99!!! ...--->",
    "  two  spaces\ttab\n newline\r\nend  ",
    "nul\x00bell\x07zero\u200bwidth soft\u00adhyphen nbsp\u00a0ideographic\u3000space \ufffd",
    "raw <|endoftext|> <|eot_id|> <|ENDOFTEXT|> {braces} {} %s",
    "\n\nleading newlines",
    " ".join(["a very long prompt about a woman who walks through rain, neon lights and puddles;"] * 24),
]
# Not part of what the tiny tokenizers learn from.
UNSEEN_PROMPTS = ["glued🇫🇷<|endoftext|>8 <|eot_id|><|endoftext|>x", "Zürich's quiet ﬁelds, ⅓ of them Ⅳ², at ½ past 9…"]


def random_prompt(source: random.Random) -> str:
    """Letters, digits, scripts, marks and specials in no order."""
    pool = [
        *"abcdefghijKLMNOP0123456789 '!?.,-",
        *"éüßñ東京猫한국어русскийΣςİıſﬁ🙂🇫🇷\u200b\u0301\u00a0\t\n\ufffd",
        CLIP_EOS,
        "<|eot_id|>",
    ]
    return "".join(source.choice(pool) for _ in range(source.randint(1, 120)))


def train_llama(directory: Path, merges: int = 136) -> None:
    """A byte-level BPE tokenizer.json like Llama-3's, learnt from the template and the prompts above."""
    pre_tokenizer = _llama_pre_tokenizer()
    pieces = [list(piece) for line in [TEMPLATE, *PROMPTS] for piece, _ in pre_tokenizer.pre_tokenize_str(line)]
    learnt = _learn_merges(pieces, merges)
    words = dict.fromkeys([*_byte_letters().values(), *(a + b for a, b in learnt)])
    vocabulary = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocabulary, learnt, ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizer
    _save_llama(tokenizer, directory)


def convert_tiktoken(vocabulary: Path, directory: Path) -> None:
    """Llama-3's own vocabulary (a tiktoken file of base64 tokens and ranks) as a tokenizer.json."""
    pairs = (line.split() for line in vocabulary.read_bytes().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    letters = _byte_letters()

    def spell(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    merges = []
    for token, rank in ranks.items():
        cuts = [(token[:i], token[i:]) for i in range(1, len(token))]
        cuts = [(ranks[a], ranks[b], a, b) for a, b in cuts if a in ranks and b in ranks]
        merges.extend((rank, *cut) for cut in sorted(cuts))
    merges.sort(key=lambda merge: merge[:3])
    spelled = [(spell(a), spell(b)) for *_, a, b in merges]
    tokenizer = Tokenizer(models.BPE({spell(t): r for t, r in ranks.items()}, spelled, ignore_merges=True))
    tokenizer.pre_tokenizer = _llama_pre_tokenizer()
    # The reserved tokens that lie between the ones with a name keep the ids where they belong.
    named = {
        0: LLAMA_SPECIALS[0],
        1: LLAMA_SPECIALS[1],
        6: LLAMA_SPECIALS[2],
        7: LLAMA_SPECIALS[3],
        9: LLAMA_SPECIALS[4],
    }
    specials = [named.get(i, f"<|reserved_special_token_{i}|>") for i in range(256)] + LLAMA_SPECIALS[5:]
    _save_llama(tokenizer, directory, specials)


def _llama_pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    split = pre_tokenizers.Split(Regex(LLAMA_PATTERN), behavior="isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def _save_llama(tokenizer: Tokenizer, directory: Path, specials: list[str] = LLAMA_SPECIALS) -> None:
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in specials])
    bos = LLAMA_SPECIALS[0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, tokenizer.token_to_id(bos))]
    )
    tokenizer.decoder = decoders.ByteLevel()
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    config = {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": bos,
        "eos_token": "<|end_of_text|>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "padding_side": "right",
        "model_max_length": 2048,
        "tokenizer_class": "LlamaTokenizerFast",
    }
    write_json(directory / "tokenizer_config.json", config)
    names = ("bos_token", "eos_token", "pad_token", "unk_token")
    write_json(directory / "special_tokens_map.json", {name: config[name] for name in names})


def without_post_processor(source: Path, directory: Path) -> None:
    """The same tokenizer as some exports have it: nothing in the file adds the first token."""
    tokenizer = json.loads((source / "tokenizer.json").read_text()) | {"post_processor": None}
    write_json(directory / "tokenizer.json", tokenizer)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        (directory / name).write_bytes((source / name).read_bytes())


def llama_prefix(directory: Path) -> int:
    """Number of tokens before the prompt's own, the first token included."""
    return len(_load_llama(directory)(TEMPLATE.split("{}")[0]).input_ids)


def llama_ids(directory: Path, prompt: str) -> list[int]:
    tokenizer = _load_llama(directory)
    limit = llama_prefix(directory) + PROMPT_TOKENS
    return tokenizer(TEMPLATE.replace("{}", prompt), max_length=limit, truncation=True).input_ids


def _load_llama(directory: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_file=str(directory / "tokenizer.json"))


def train_clip(directory: Path, merges: int = 90) -> None:
    """vocab.json and merges.txt in CLIP's order: bytes, word-final bytes, merges, the two specials."""
    spell = _byte_letters()
    pieces = []
    for word in (word for line in [TEMPLATE, *PROMPTS] for word in CLIP_PATTERN.findall(line.lower())):
        *front, last = (spell[byte] for byte in word.encode())
        pieces.append([*front, last + "</w>"])
    learnt = _learn_merges(pieces, merges)
    letters = list(spell.values())
    words = [*letters, *(letter + "</w>" for letter in letters), *(a + b for a, b in learnt), CLIP_BOS, CLIP_EOS]
    directory.mkdir(parents=True, exist_ok=True)
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(words))}
    (directory / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in learnt)]
    (directory / "merges.txt").write_text("\n".join(lines) + "\n")
    config = {"bos_token": CLIP_BOS, "eos_token": CLIP_EOS, "pad_token": CLIP_EOS, "unk_token": CLIP_EOS}
    extra = {
        "add_prefix_space": False,
        "do_lower_case": True,
        "model_max_length": 77,
        "tokenizer_class": "CLIPTokenizer",
    }
    write_json(directory / "tokenizer_config.json", config | extra)
    write_json(directory / "special_tokens_map.json", config)


class SlowClip:
    """CLIPTokenizer of transformers 4, without ftfy."""

    def __init__(self, directory: Path) -> None:
        self.vocabulary = json.loads((directory / "vocab.json").read_text())
        lines = (directory / "merges.txt").read_text().strip().split("\n")[1:]
        self.ranks = {tuple(line.split()): rank for rank, line in enumerate(lines)}
        self.clean = BasicTokenizer(strip_accents=False, do_split_on_punc=False)
        self.letters = _byte_letters()

    def ids(self, text: str) -> list[int]:
        """77 ids: the first token, at most 75 of the text, and the last token up to the end."""
        tokens = []
        # The special tokens are cut out first, whatever surrounds them; the rest is cleaned piece by piece.
        for piece in regex.split(f"({regex.escape(CLIP_BOS)}|{regex.escape(CLIP_EOS)})", text):
            for word in CLIP_PATTERN.findall(" ".join(self.clean.tokenize(piece))):
                tokens += self._split("".join(self.letters[byte] for byte in word.encode()))
        last = self.vocabulary[CLIP_EOS]
        ids = [self.vocabulary[CLIP_BOS], *(self.vocabulary.get(token, last) for token in tokens[:75])]
        return ids + [last] * (77 - len(ids))

    def _split(self, word: str) -> list[str]:
        if word in (CLIP_BOS, CLIP_EOS):
            return [word]
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: self.ranks.get(pair, float("inf")))
            if best not in self.ranks:
                break
            parts = _merge(parts, best)
        return parts


def _learn_merges(pieces: list[list[str]], count: int) -> list[tuple[str, str]]:
    """Byte-pair encoding's training; ties go to the pair that sorts last, so that every run agrees."""
    counted = Counter(tuple(piece) for piece in pieces)
    merges = []
    for _ in range(count):
        pairs: Counter[tuple[str, str]] = Counter()
        for parts, times in counted.items():
            for pair in pairwise(parts):
                pairs[pair] += times
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        counted = Counter({tuple(_merge(list(parts), best)): times for parts, times in counted.items()})
    return merges


def _merge(parts: list[str], pair: tuple[str, str]) -> list[str]:
    merged, i = [], 0
    while i < len(parts):
        joined = tuple(parts[i : i + 2]) == pair
        merged.append("".join(pair) if joined else parts[i])
        i += 2 if joined else 1
    return merged


def _byte_letters() -> dict[int, str]:
    """GPT-2's map from bytes to printable characters, printable bytes first."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}
