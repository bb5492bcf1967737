"""Keys and values of the conditioning tokens kept over some steps, in which only the noise goes through the blocks.

Conditioning tokens are the clean and history latents, SigLIP's tokens and the text. In a full step every block
computes everything; in a reused one the noise attends to its own keys and to those kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from diffusers.models.embeddings import apply_rotary_emb
from torch import nn

from caches import Cache, Call

Rope = tuple[torch.Tensor, torch.Tensor]
KeysValues = tuple[torch.Tensor, torch.Tensor]


@dataclass
class KvCache(Cache):
    """Full are the first step, the last, and every `refresh`-th after the last full one."""

    refresh: int = 2
    since_full: int = 0
    kept: list[KeysValues] = field(default_factory=list)

    def step(self, call: Call) -> torch.Tensor:
        reuse = not self.is_end() and self.since_full + 1 < self.refresh
        self.note(reuse)
        if reuse:
            self.since_full += 1
            return self._noise_alone(call)
        self.since_full, self.kept = 0, []
        keep = self._keep(call.latents)
        hooks = [block.attn.register_forward_pre_hook(keep, with_kwargs=True) for block in call.blocks]
        x = call.run_all()
        for hook in hooks:
            hook.remove()
        # With what was kept in this very step, the noise alone gives what everything gave.
        torch.testing.assert_close(self._noise_alone(call), x[:, -call.latents :], atol=1e-5, rtol=1e-5)
        return x

    def _keep(self, latents: int) -> Callable[[nn.Module, tuple, dict], None]:
        def before(attention: nn.Module, _: tuple, call: dict) -> None:
            rope = tuple(table[:-latents] for table in call["image_rotary_emb"])
            image = _image(attention, call["hidden_states"][:, :-latents], rope)
            context = _context(attention, call["encoder_hidden_states"])
            self.kept.append(tuple(torch.cat(pair, dim=1) for pair in zip(image, context)))

        return before

    def _noise_alone(self, call: Call) -> torch.Tensor:
        x = call.x[:, -call.latents :]
        rope = tuple(table[-call.latents :] for table in call.rope)
        for block, kept in zip(call.blocks, self.kept):
            run = _double if hasattr(block, "norm1") else _single
            x = run(block, x, call.temb, rope, kept)
        return x


def _image(attention: nn.Module, x: torch.Tensor, rope: Rope) -> KeysValues:
    key = attention.norm_k(attention.to_k(x).unflatten(2, (attention.heads, -1)))
    return apply_rotary_emb(key, rope, sequence_dim=1), attention.to_v(x).unflatten(2, (attention.heads, -1))


def _context(attention: nn.Module, x: torch.Tensor) -> KeysValues:
    """Double-stream blocks have projections of their own for the context."""
    double = attention.add_k_proj is not None
    to_k, norm_k = (attention.add_k_proj, attention.norm_added_k) if double else (attention.to_k, attention.norm_k)
    to_v = attention.add_v_proj if double else attention.to_v
    return norm_k(to_k(x).unflatten(2, (attention.heads, -1))), to_v(x).unflatten(2, (attention.heads, -1))


def _attend(attention: nn.Module, x: torch.Tensor, rope: Rope, kept: KeysValues) -> torch.Tensor:
    query = attention.norm_q(attention.to_q(x).unflatten(2, (attention.heads, -1)))
    query = apply_rotary_emb(query, rope, sequence_dim=1)
    keys, values = (torch.cat([own, old], dim=1).transpose(1, 2) for own, old in zip(_image(attention, x, rope), kept))
    output = torch.nn.functional.scaled_dot_product_attention(query.transpose(1, 2), keys, values)
    return output.transpose(1, 2).flatten(2)


def _double(block: nn.Module, x: torch.Tensor, temb: torch.Tensor, rope: Rope, kept: KeysValues) -> torch.Tensor:
    hidden, gate_msa, shift, scale, gate_mlp = block.norm1(x, emb=temb)
    x = x + block.attn.to_out[0](_attend(block.attn, hidden, rope, kept)) * gate_msa[:, None]
    hidden = block.norm2(x) * (1 + scale[:, None]) + shift[:, None]
    return x + gate_mlp[:, None] * block.ff(hidden)


def _single(block: nn.Module, x: torch.Tensor, temb: torch.Tensor, rope: Rope, kept: KeysValues) -> torch.Tensor:
    hidden, gate = block.norm(x, emb=temb)
    attended = _attend(block.attn, hidden, rope, kept)
    mlp = block.act_mlp(block.proj_mlp(hidden))
    return x + gate[:, None] * block.proj_out(torch.cat([attended, mlp], dim=2))
