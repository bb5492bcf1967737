//! Variables of attention, compilation and precision, and the rest.

use crate::original::name::{
    Meaning::{Inactive, NotNeeded, Sets},
    Name, Rule,
    Values::{Integer, Switch, Text, Words},
};

const COMPILED: &str =
    "the worker has kernels of its own, and compiles them for the card in a second";
const PRECISION: &str = "each model computes in the type that it was made for";
const NO_SCRIPT: &str = "a TorchScript module is not read or written";
const PICTURES: &str = "pictures are prepared by one exact code path, in milliseconds";

pub(super) const MODES: &[&str] = &["off", "standard", "aggressive"];

pub(super) static VARIABLES: [Name; 23] = [
    Name::new(
        "FRAMEPACK_XFORMERS_MODE",
        Words("an attention mode", MODES),
        "`standard` (`off` in later versions)",
        Sets {
            keys: &["attention"],
            rule: Rule::Same,
            how: "`attention`: the same word",
        },
        "ordered the libraries for attention; SageAttention, an inexact kernel in 8 bits that the requirements install, came first \
         whatever the mode, and `off` used xformers, too",
    ),
    Name::new(
        "PYTORCH_ENABLE_FLASH_SDP",
        Switch,
        "unset",
        Sets {
            keys: &["worker.flash_sdp"],
            rule: Rule::OnOff,
            how: "`worker.flash_sdp`: 1 is `on`, 0 is `off`",
        },
        "nothing: neither the application nor torch reads it",
    ),
    Name::new(
        "PYTORCH_ENABLE_MEM_EFFICIENT_SDP",
        Switch,
        "unset",
        Sets {
            keys: &["worker.mem_efficient_sdp"],
            rule: Rule::OnOff,
            how: "`worker.mem_efficient_sdp`: 1 is `on`, 0 is `off`",
        },
        "nothing: neither the application nor torch reads it",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_COMPILE",
        Switch,
        "0",
        NotNeeded(COMPILED),
        "compiled transformer and encoders with torch.compile, unless FRAMEPACK_FAST_START was on",
    ),
    Name::new(
        "FRAMEPACK_DISABLE_COMPILE",
        Switch,
        "0",
        NotNeeded(COMPILED),
        "turned FRAMEPACK_ENABLE_COMPILE off again",
    ),
    Name::new(
        "FRAMEPACK_JIT_MODE",
        Words("a mode of TorchScript", &["off", "trace", "script"]),
        "`off`",
        NotNeeded(COMPILED),
        "traced models with inputs of sizes that no job has, so that the trace could not be used",
    ),
    Name::new(
        "FRAMEPACK_JIT_ARTIFACT",
        Text("a file"),
        "unset",
        Inactive(NO_SCRIPT),
        "the file of a traced transformer",
    ),
    Name::new(
        "FRAMEPACK_JIT_SAVE",
        Text("a file"),
        "unset",
        Inactive(NO_SCRIPT),
        "where a traced module was to be written",
    ),
    Name::new(
        "FRAMEPACK_JIT_LOAD",
        Text("a file"),
        "unset",
        Inactive(NO_SCRIPT),
        "where a traced module was to be read from",
    ),
    Name::new(
        "FRAMEPACK_JIT_STRICT",
        Switch,
        "0",
        Inactive(NO_SCRIPT),
        "refused inputs of another size than the traced ones",
    ),
    Name::new(
        "FRAMEPACK_AUTOCAST_DTYPE",
        Words("a data type", &["auto", "bf16", "fp16", "fp32"]),
        "`auto`: bf16 where the card has it",
        NotNeeded(PRECISION),
        "the type of computations; sampler and noise ran in it, too, and lost detail",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_AUTOCAST",
        Switch,
        "1",
        NotNeeded(PRECISION),
        "converted weights in every call where types did not fit, as for the VAE in fp16 under bf16",
    ),
    Name::new(
        "FRAMEPACK_ALLOW_TF32",
        Switch,
        "1",
        NotNeeded(PRECISION),
        "allowed TF32 for multiplications in fp32, of which a step has none",
    ),
    Name::new(
        "FRAMEPACK_TENSORCORE_MULT_FP16",
        Integer(1..=i64::MAX),
        "8",
        NotNeeded("the models' sizes are multiples already"),
        "padded sizes to a multiple that they have already",
    ),
    Name::new(
        "FRAMEPACK_TENSORCORE_MULT_TF32",
        Integer(1..=i64::MAX),
        "4",
        NotNeeded("the models' sizes are multiples already"),
        "padded sizes to a multiple that they have already",
    ),
    Name::new(
        "FRAMEPACK_MIN_BATCH",
        Integer(1..=i64::MAX),
        "1",
        NotNeeded("a job is one video"),
        "nothing: it is read and not used",
    ),
    Name::new(
        "FRAMEPACK_CPU_OPT",
        Switch,
        "1",
        NotNeeded(PICTURES),
        "resized pictures with OpenCV, and with wrong colours where another library was installed",
    ),
    Name::new(
        "FRAMEPACK_CPU_OPT_THREADS",
        Integer(1..=i64::MAX),
        "unset",
        NotNeeded(PICTURES),
        "threads of FRAMEPACK_CPU_OPT",
    ),
    Name::new(
        "FRAMEPACK_SLOW_PROMPT_HINT",
        Text("a text"),
        "a few words about slow motion",
        Inactive("a prompt is used as it is written; write the words into it"),
        "was added to the prompt while the box for slow motion was ticked, as it is by default",
    ),
    Name::new(
        "FRAMEPACK_ENFORCE_LOW_PRECISION",
        Switch,
        "0",
        Inactive("the VAE needs more than bf16 for fine detail"),
        "converted every model to 16 bits, the VAE to bf16 as well; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_BETTERTRANSFORMER",
        Switch,
        "0",
        NotNeeded("encoders use torch's fused attention in any case"),
        "replaced the encoders' attention; by its own note a step took 428 s instead of 20 s with it; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_PROFILING",
        Switch,
        "0",
        NotNeeded(
            "every report has times and memory of each phase; `framepack-worker bench` measures more",
        ),
        "wrote times and memory of each section into a JSON file; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_RELATIONSHIP_SAMPLE_LIMIT",
        Integer(0..=i64::MAX),
        "2048",
        Inactive("models are not trained here"),
        "samples that an experimental trainer collects, 350 MB each; only in later versions",
    ),
];
