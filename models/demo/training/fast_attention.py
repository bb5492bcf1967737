"""An attention processor for training: fused RMSNorm and a bf16 rotation with a hand-written backward.

Same function as `HunyuanVideoAttnProcessor2_0` up to bf16 rounding of the rotation tables.
"""

import torch
import torch.nn.functional as F


class _Rotate(torch.autograd.Function):
    """Rotates adjacent channel pairs of [B, L, heads, d] by cos/sin [L, 1, d/2]."""

    @staticmethod
    def _apply(x, cos, sin):
        out = torch.empty_like(x)
        even, odd = x[..., 0::2], x[..., 1::2]
        out[..., 0::2] = torch.addcmul(even * cos, odd, sin, value=-1)
        out[..., 1::2] = torch.addcmul(odd * cos, even, sin)
        return out

    @staticmethod
    def forward(ctx, x, cos, sin):
        ctx.save_for_backward(cos, sin)
        return _Rotate._apply(x, cos, sin)

    @staticmethod
    def backward(ctx, grad):
        cos, sin = ctx.saved_tensors
        return _Rotate._apply(grad, cos, -sin), None, None


def _split(attn, x):
    return x.unflatten(2, (attn.heads, -1))


def _norm(layer, x):
    return F.rms_norm(x, (x.shape[-1],), layer.weight, layer.eps)


class FastProcessor:
    """Drop-in for both block kinds; takes no mask."""

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, image_rotary_emb=None):
        single = attn.add_q_proj is None
        context = encoder_hidden_states.shape[1]
        x = torch.cat([hidden_states, encoder_hidden_states], 1) if single else hidden_states
        q, k, v = (_split(attn, layer(x)) for layer in (attn.to_q, attn.to_k, attn.to_v))
        cos, sin = (table[:, None, ::2].to(q.dtype) for table in image_rotary_emb)
        if single:  # context tokens are not rotated
            cos = torch.cat([cos, cos.new_ones(context, 1, cos.shape[2])])
            sin = torch.cat([sin, sin.new_zeros(context, 1, sin.shape[2])])
        q = _Rotate.apply(_norm(attn.norm_q, q), cos, sin)
        k = _Rotate.apply(_norm(attn.norm_k, k), cos, sin)
        if not single:
            cq, ck, cv = (_split(attn, layer(encoder_hidden_states)) for layer in (attn.add_q_proj, attn.add_k_proj, attn.add_v_proj))
            q = torch.cat([q, _norm(attn.norm_added_q, cq)], 1)
            k = torch.cat([k, _norm(attn.norm_added_k, ck)], 1)
            v = torch.cat([v, cv], 1)
        out = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        out = out.transpose(1, 2).flatten(2)
        image, text = out[:, :-context], out[:, -context:]
        if single:
            return image, text
        return attn.to_out[0](image), attn.to_add_out(text)


def use_fast_attention(transformer):
    """Installs the processor in every block (not in the token refiner)."""
    for block in [*transformer.transformer_blocks, *transformer.single_transformer_blocks]:
        block.attn.processor = FastProcessor()
