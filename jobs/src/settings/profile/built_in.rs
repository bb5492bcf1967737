//! The profiles and presets that everybody has.

use super::Profile;

pub(super) const BUILT_IN: [Profile; 8] = [
    Profile {
        name: "auto",
        original: "",
        yaml: "{}\n",
    },
    Profile {
        name: "standard",
        original: "level 1: python demo_gradio.py",
        yaml: "\
attention: standard
memory:
  preserve_gb: 6
",
    },
    Profile {
        name: "bnb4",
        original: "level 2, line 3: FRAMEPACK_FAST_START=1 FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \
                   FRAMEPACK_BNB_CPU_OFFLOAD=1 FRAMEPACK_VAE_CHUNK_SIZE=2 \
                   python demo_gradio.py --fast-start --xformers-mode standard --use-memory-v2",
        yaml: "\
storage:
  transformer: nf4
  text_encoder: nf4
vae:
  chunk: 2
attention: standard
memory:
  preserve_gb: 6
  backend: v2
worker:
  fast_start: on
",
    },
    Profile {
        name: "aggressive",
        original: "level 3: GPU Memory Preservation in the interface at 10 to 12 GB",
        yaml: "\
attention: standard
memory:
  preserve_gb: 12
  offload: aggressive
",
    },
    Profile {
        name: "extreme",
        original: "level 4, line 10: PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True,max_split_size_mb=128 \
                   FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \
                   python demo_gradio.py --fast-start --xformers-mode standard",
        yaml: "\
# Beyond that line: chunks of one frame, small pieces, and as little on the device as can be.
storage:
  transformer: nf4
  text_encoder: nf4
vae:
  chunk: 1
attention: standard
memory:
  load_chunk_mb: 64
  offload: aggressive
  backend: v1
worker:
  fast_start: on
  cuda_alloc_conf: expandable_segments:True,max_split_size_mb:128
",
    },
    Profile {
        name: "tensorrt",
        original: "line 16: PYTORCH_ENABLE_FLASH_SDP=0 PYTORCH_ENABLE_MEM_EFFICIENT_SDP=0 \
                   FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \
                   python demo_gradio.py --fast-start --xformers-mode aggressive --use-memory-v2 --enable-tensorrt",
        yaml: "\
storage:
  transformer: nf4
  text_encoder: nf4
vae:
  tensorrt: on
attention: aggressive
memory:
  preserve_gb: 6
  backend: v2
worker:
  fast_start: on
  flash_sdp: off
  mem_efficient_sdp: off
",
    },
    Profile {
        name: "quality",
        original: "Quality Mode on, Use TeaCache off",
        yaml: "\
vae:
  quality: on
cache:
  kind: off
",
    },
    Profile {
        name: "hands",
        original: "Quality Mode on, TeaCache off, Steps 32, Distilled CFG Scale 12, Total Video Length 3-4 seconds",
        yaml: "\
vae:
  quality: on
cache:
  kind: off
steps: 32
guidance:
  distilled: 12
length:
  seconds: 3.5
",
    },
];
