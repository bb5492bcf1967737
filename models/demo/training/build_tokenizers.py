"""Trains the two small tokenizers: byte-level BPE with Llama-3's pre-tokeniser, and CLIP's BPE."""

import json
import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers.pre_tokenizers import ByteLevel

from captions import vocabulary_text
from prompt import TEMPLATE

LLAMA3_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
                r"|\s+(?!\S)|\s+")
LLAMA_SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
                  "<unk>", "<image>", "<pad>"]
ENGLISH = """the a an of and to in on at with from by for as is are was it its this that there here one two three some many
all other more very man woman person child people girl boy dog cat bird horse fish car bus train boat ship plane house
street city town room kitchen table chair window door wall floor sky sun moon star cloud rain snow wind sea ocean wave
river lake beach mountain hill forest tree leaf flower grass garden field road bridge fire smoke water light shadow dark
bright soft warm cold old new young big small large little long short tall round square red green blue yellow orange purple
pink white black brown grey gray walks runs jumps dances sings plays turns looks smiles laughs waves talks sits stands
opens closes falls rises flies swims drives rides holds lifts throws catches eats drinks reads writes slowly quickly gently
camera view scene video photo picture image close shot wide zoom pan tilt left right up down forward back around toward
away over under through behind front face eye hand hair head body arm leg smile dress suit hat shirt coat shoes glass cup
coffee tea bread cake apple fruit food box ball book phone lamp clock morning evening night day spring summer autumn winter
beautiful slow fast motion movement style atmosphere background foreground cinematic realistic detailed colorful""".split()


def corpus():
    """The grammar's words many times, general English, and the template, so that all merge to few tokens."""
    lines = vocabulary_text()
    lines += [line.capitalize() for line in lines]
    words = " ".join(ENGLISH)
    return lines * 20 + [words, " ".join(w.capitalize() for w in ENGLISH)] * 8 + [TEMPLATE.replace("{}", " ")] * 40


def build_llama(folder):
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(LLAMA3_SPLIT), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=1536, special_tokens=LLAMA_SPECIALS, initial_alphabet=ByteLevel.alphabet(),
                                  show_progress=False)
    lines = [line for line in corpus()]
    for special in LLAMA_SPECIALS:
        lines = [line.replace(special, "") for line in lines]
    tokenizer.train_from_iterator(lines, trainer)
    bos = LLAMA_SPECIALS[0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, tokenizer.token_to_id(bos))])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": bos, "eos_token": "<|end_of_text|>", "unk_token": "<unk>", "pad_token": "<pad>"}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": True, "add_eos_token": False,
              "padding_side": "right", "model_max_length": 512, "clean_up_tokenization_spaces": False, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(names, indent=2) + "\n")
    return tokenizer


def build_clip(folder):
    """CLIP's scheme: 256 byte symbols, the same with </w>, merges, then the two specials with the highest ids."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Lowercase()
    split = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(split, "removed", invert=True), ByteLevel(add_prefix_space=False, use_regex=False)])
    alphabet = sorted(ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=1000, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False)
    lines = vocabulary_text() * 20 + [" ".join(ENGLISH)] * 8
    tokenizer.train_from_iterator(lines, trainer)
    merges = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    tokens = alphabet + [c + "</w>" for c in alphabet]
    tokens += [a + b for a, b in merges if a + b not in set(tokens)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    names = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
             "pad_token": "<|endoftext|>"}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True,
              "add_prefix_space": False, "errors": "replace", **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(names, indent=2) + "\n")


if __name__ == "__main__":
    bundle = Path(sys.argv[1])
    build_llama(bundle / "tokenizer")
    build_clip(bundle / "tokenizer_2")
