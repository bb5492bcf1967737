//! Variables that change how weights are stored.

use crate::original::name::{
    Meaning::{Inactive, NotNeeded, Sets},
    Name, Rule,
    Values::{Integer, Number, Switch, Text},
};

const TYPES: &[&str] = &["storage.transformer", "storage.text_encoder"];

pub(super) static VARIABLES: [Name; 19] = [
    Name::new(
        "FRAMEPACK_USE_BNB",
        Switch,
        "0",
        Sets {
            keys: TYPES,
            rule: Rule::Storage,
            how: "1: `storage.transformer` and `storage.text_encoder` are `int8`, or `nf4` with FRAMEPACK_BNB_LOAD_IN_4BIT=1",
        },
        "quantized the two text encoders and kept them in device memory all the time; the transformer, by far the largest \
         model, stayed at 16 bits",
    ),
    Name::new(
        "FRAMEPACK_BNB_LOAD_IN_4BIT",
        Switch,
        "0",
        Sets {
            keys: TYPES,
            rule: Rule::Storage,
            how: "1 with FRAMEPACK_USE_BNB=1: `nf4` instead of `int8`; nothing by itself",
        },
        "4 bits instead of 8 for the text encoders, and only with FRAMEPACK_USE_BNB=1; the type was fp4, the library's \
         default, not nf4",
    ),
    Name::new(
        "FRAMEPACK_BNB_CPU_OFFLOAD",
        Switch,
        "1",
        Sets {
            keys: &["idle.warm_after_secs"],
            rule: Rule::ZeroIsNever,
            how: "`idle.warm_after_secs`: 0 is `never`; 1 leaves it as it is, 300 by default",
        },
        "allowed 8-bit encoders to leave some layers in host memory when they are loaded; nothing was moved when idle",
    ),
    Name::new(
        "FRAMEPACK_BNB_DOUBLE_QUANT",
        Switch,
        "1",
        NotNeeded("a storage type includes how its scales are stored"),
        "stored the scales of 4-bit text encoders in 8 bits",
    ),
    Name::new(
        "FRAMEPACK_BNB_DEVICE_MAP",
        Text("`auto`, `cpu` or another map of the library"),
        "`auto`",
        NotNeeded("a job's memory plan says what is on the device"),
        "`auto` put both text encoders on the GPU for as long as the program ran",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_QUANT",
        Switch,
        "unset",
        Sets {
            keys: TYPES,
            rule: Rule::Storage,
            how: "1: `storage.transformer` and `storage.text_encoder` are `int8`, or `nf4` with FRAMEPACK_QUANT_BITS=4, unless another variable sets them",
        },
        "quantized all linear layers and convolutions, those of the VAE included, and turned them back to 16 bits in every call: \
         slower, visibly worse, and an error in the image encoder",
    ),
    Name::new(
        "FRAMEPACK_QUANT_BITS",
        Integer(4..=8),
        "8",
        Sets {
            keys: TYPES,
            rule: Rule::Storage,
            how: "8 is `int8`, 4 is `nf4`; only with FRAMEPACK_ENABLE_QUANT=1",
        },
        "bits of FRAMEPACK_ENABLE_QUANT, 4 or 8, with one scale for each row",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_FP8",
        Switch,
        "0",
        Sets {
            keys: &["storage.transformer"],
            rule: Rule::Storage,
            how: "1: `storage.transformer` is `fp8_e4m3`",
        },
        "wrote scaled values back into 16-bit weights: no memory was saved, and layers that are not linear were ruined; later \
         versions do not start with it",
    ),
    Name::new(
        "FRAMEPACK_FP8_TARGET_KEYS",
        Text("names of layers, separated by commas"),
        "unset",
        Inactive("a storage type is for a whole model; what must stay exact is left out by itself"),
        "names of layers that FRAMEPACK_ENABLE_FP8 converts",
    ),
    Name::new(
        "FRAMEPACK_FP8_EXCLUDE_KEYS",
        Text("names of layers, separated by commas"),
        "unset",
        Inactive("a storage type is for a whole model; what must stay exact is left out by itself"),
        "names of layers that FRAMEPACK_ENABLE_FP8 leaves as they are",
    ),
    Name::new(
        "FRAMEPACK_FP8_USE_SCALED_MM",
        Switch,
        "0",
        Inactive("a storage type is how weights are stored; a step computes in 16 bits"),
        "multiplied in 8 bits, which failed since the weights had 16",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_PRUNE",
        Switch,
        "0",
        Inactive("without training, a transformer that lacks blocks makes no picture"),
        "left out half of the transformer's blocks, which makes garbage without training",
    ),
    Name::new(
        "FRAMEPACK_PRUNE_DUAL_RATIO",
        Number(0.0..=1.0),
        "0.5",
        Inactive("belongs to FRAMEPACK_ENABLE_PRUNE"),
        "the share of dual blocks that FRAMEPACK_ENABLE_PRUNE keeps",
    ),
    Name::new(
        "FRAMEPACK_PRUNE_SINGLE_RATIO",
        Number(0.0..=1.0),
        "0.5",
        Inactive("belongs to FRAMEPACK_ENABLE_PRUNE"),
        "the share of single blocks that FRAMEPACK_ENABLE_PRUNE keeps",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_OPT_CACHE",
        Switch,
        "0",
        NotNeeded("weights are mapped from the model bundle in any case"),
        "stored the quantized transformer as a Python pickle, without a note of what it was made from",
    ),
    Name::new(
        "FRAMEPACK_OPTIMIZED_TRANSFORMER",
        Text("a file"),
        "`optimized_models/transformer_quantized.pt`",
        NotNeeded("Python pickles are not read; `models.bundle` names the weights"),
        "the file of FRAMEPACK_ENABLE_OPT_CACHE",
    ),
    Name::new(
        "FRAMEPACK_USE_FSDP",
        Switch,
        "0",
        Inactive("a job runs on one device, which its weights need not fit on"),
        "asked for a class that torch does not have, and was ignored",
    ),
    Name::new(
        "FRAMEPACK_FSDP_MIN_PARAMS",
        Integer(0..=i64::MAX),
        "5000000",
        Inactive("belongs to FRAMEPACK_USE_FSDP"),
        "the size from which FRAMEPACK_USE_FSDP splits a layer",
    ),
    Name::new(
        "FRAMEPACK_FSDP_NVME_PATH",
        Text("a folder"),
        "unset",
        Inactive(
            "belongs to FRAMEPACK_USE_FSDP; weights that fit nowhere are read from their files in every step",
        ),
        "a folder for weights that FRAMEPACK_USE_FSDP would move to a disk",
    ),
];
