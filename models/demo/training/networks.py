"""The bundle's networks: the reference classes of diffusers and transformers at small sizes."""

import torch
from diffusers import AutoencoderKLHunyuanVideo, HunyuanVideoFramepackTransformer3DModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, LlamaConfig, LlamaModel, SiglipVisionConfig, SiglipVisionModel

SCALING_FACTOR = 0.476986  # HunyuanVideo's; the VAE is trained so that its scaled latents have unit variance
TEXT_DIM = 96
IMAGE_DIM = 96
IMAGE_SIZE = 64
LLAMA_LAYERS_RUN = 2

VAE = dict(in_channels=3, out_channels=3, latent_channels=16, block_out_channels=(32, 64, 80, 80), layers_per_block=1,
           norm_num_groups=8, scaling_factor=SCALING_FACTOR, spatial_compression_ratio=8, temporal_compression_ratio=4,
           mid_block_add_attention=True)
TRANSFORMER = dict(in_channels=16, out_channels=16, num_attention_heads=4, attention_head_dim=48, num_layers=2,
                   num_single_layers=7, num_refiner_layers=1, mlp_ratio=4.0, patch_size=2, patch_size_t=1,
                   qk_norm="rms_norm", guidance_embeds=True, text_embed_dim=TEXT_DIM, pooled_projection_dim=TEXT_DIM,
                   rope_theta=256.0, rope_axes_dim=(16, 16, 16), has_image_proj=True, image_proj_dim=IMAGE_DIM,
                   has_clean_x_embedder=True)


def build_vae():
    """Causal 3-D VAE, 8x8x4 compression, 16 channels."""
    return AutoencoderKLHunyuanVideo(**VAE)


def llama_config(vocab):
    """Two more layers than are run: the pipeline reads the third hidden state from the end."""
    return LlamaConfig(hidden_size=TEXT_DIM, intermediate_size=256, num_hidden_layers=LLAMA_LAYERS_RUN + 2,
                       num_attention_heads=4, num_key_value_heads=2, vocab_size=vocab, rms_norm_eps=1e-5,
                       rope_theta=500000.0, max_position_embeddings=512, hidden_act="silu", bos_token_id=0, eos_token_id=1,
                       pad_token_id=7, tie_word_embeddings=False)


def clip_config(vocab):
    return CLIPTextConfig(hidden_size=TEXT_DIM, intermediate_size=384, num_hidden_layers=2, num_attention_heads=4,
                          vocab_size=vocab, max_position_embeddings=77, hidden_act="quick_gelu", bos_token_id=0, eos_token_id=2,
                          pad_token_id=1, projection_dim=TEXT_DIM, layer_norm_eps=1e-5)


def siglip_config():
    return SiglipVisionConfig(hidden_size=IMAGE_DIM, intermediate_size=384, num_hidden_layers=2, num_attention_heads=4,
                              image_size=IMAGE_SIZE, patch_size=16, hidden_act="gelu_pytorch_tanh", layer_norm_eps=1e-6,
                              vision_use_head=False)


class FramePack(nn.Module):
    """Transformer and the three encoders, trained together."""

    def __init__(self, llama_vocab, clip_vocab):
        super().__init__()
        self.transformer = HunyuanVideoFramepackTransformer3DModel(**TRANSFORMER)
        self.llama = LlamaModel(llama_config(llama_vocab))
        self.llama.layers = self.llama.layers[:LLAMA_LAYERS_RUN]
        self.llama.norm = nn.Identity()
        self.clip = CLIPTextModel(clip_config(clip_vocab))
        self.siglip = SiglipVisionModel(siglip_config())
        self._init()

    def _init(self):
        t = self.transformer
        for block in t.transformer_blocks:
            gates = [block.norm1.linear, block.norm1_context.linear]
            for layer in gates:
                nn.init.zeros_(layer.weight), nn.init.zeros_(layer.bias)
        for block in t.single_transformer_blocks:
            nn.init.zeros_(block.norm.linear.weight), nn.init.zeros_(block.norm.linear.bias)
        nn.init.zeros_(t.proj_out.weight), nn.init.zeros_(t.proj_out.bias)
        with torch.no_grad():  # history embedders start as averages of the patch embedder, as in FramePack
            weight, clean = t.x_embedder.proj.weight, t.clean_x_embedder
            clean.proj.weight.copy_(weight)
            clean.proj_2x.weight.copy_(_stretch(weight, 2) / 8)
            clean.proj_4x.weight.copy_(_stretch(weight, 4) / 64)
            for layer in (clean.proj, clean.proj_2x, clean.proj_4x):
                layer.bias.copy_(t.x_embedder.proj.bias)

    def encode_text(self, llama_ids, prefix):
        """Hidden states of the prompt's tokens (template dropped) for ids [B, S] of one length."""
        hidden = self.llama(input_ids=llama_ids, use_cache=False).last_hidden_state
        return hidden[:, prefix:]

    def encode_pooled(self, clip_ids):
        return self.clip(input_ids=clip_ids).pooler_output

    def encode_image(self, pixels):
        """Patch embeddings of images [B, 3, 64, 64] in [-1, 1]."""
        return self.siglip(pixel_values=pixels).last_hidden_state


def _stretch(weight, n):
    return weight.repeat_interleave(n, 2).repeat_interleave(n, 3).repeat_interleave(n, 4)


def packed_forward(t, x, timestep, text, pooled, guidance, image, sections, clean, clean_2x, clean_4x):
    """The transformer for a batch whose prompts have one length: no padding, so no mask and fast attention.

    Equal to `HunyuanVideoFramepackTransformer3DModel.forward` sample by sample. `sections` holds the four index vectors
    (latents, clean, 2x, 4x) of `packing.Section`.
    """
    batch, _, frames, height, width = x.shape
    p = t.config.patch_size
    h2, w2 = height // p, width // p
    tokens = t.x_embedder(x)
    groups = t.clean_x_embedder(clean, clean_2x, clean_4x)

    def rope(index):
        return t.rope(frame_indices=index.to(x.device), height=height, width=width, device=x.device)

    tokens, rotary = t._pack_history_states(tokens, *groups, rope(sections.latents), rope(sections.clean),
                                            rope(sections.clean_2x), rope(sections.clean_4x), h2, w2)
    temb, _ = t.time_text_embed(timestep, pooled, guidance)
    context = torch.cat([t.image_projection(image), t.context_embedder(text, timestep, None)], 1)
    for block in t.transformer_blocks:
        tokens, context = block(tokens, context, temb, None, rotary)
    for block in t.single_transformer_blocks:
        tokens, context = block(tokens, context, temb, None, rotary)
    out = t.proj_out(t.norm_out(tokens[:, -frames * h2 * w2:], temb))
    out = out.reshape(batch, frames, h2, w2, -1, 1, p, p).permute(0, 4, 1, 5, 2, 6, 3, 7)
    return out.flatten(6, 7).flatten(4, 5).flatten(2, 3)
