"""Prompts to token ids, as FramePack's `encode_prompt_conds` does: Llama template, measured crop, raw prompt for CLIP."""

from pathlib import Path

from tokenizers import Tokenizer

TEMPLATE = (
    "<|start_header_id|>system<|end_header_id|>\n\nDescribe the video by detailing the following aspects: "
    "1. The main content and theme of the video."
    "2. The color, shape, size, texture, quantity, text, and spatial relationships of the objects."
    "3. Actions, events, behaviors temporal relationships, physical movement changes of the objects."
    "4. background environment, light, style and atmosphere."
    "5. camera angles, movements, and transitions used in the video:<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>")


class Prompts:
    """Both tokenizers of a bundle."""

    def __init__(self, bundle):
        from transformers import CLIPTokenizer
        self.llama = Tokenizer.from_file(str(Path(bundle) / "tokenizer" / "tokenizer.json"))
        self.clip = CLIPTokenizer.from_pretrained(str(Path(bundle) / "tokenizer_2"))
        head = TEMPLATE.split("{}")[0]
        self.prefix = len(self.llama.encode(head).ids)  # with BOS

    def llama_ids(self, prompt):
        """BOS, template and prompt; the first `prefix` positions are dropped after encoding."""
        return self.llama.encode(TEMPLATE.replace("{}", prompt)).ids

    def clip_ids(self, prompt):
        """Start, prompt, end without padding: only what comes before the first end token has an effect."""
        return self.clip(prompt, truncation=True, max_length=77).input_ids
