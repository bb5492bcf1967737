//! 3xxx: the model bundle.

codes! {
    WEIGHTS_MISSING "FP3001", Internal, Farm,
        "folder or file of weights is missing",
        "fetch it with `framepackctl models fetch`, or point `models.bundle` at a folder that has it";
    WEIGHTS_PICKLE "FP3002", Internal, Farm,
        "weights are a Python pickle",
        "download the safetensors version of this model";
    WEIGHTS_UNREADABLE "FP3003", Internal, Farm,
        "file of the model bundle can't be read",
        "check that it exists and that the worker's user may read it";
    WEIGHTS_MALFORMED "FP3004", Internal, Farm,
        "malformed safetensors file",
        "download this folder of the model again, as with `framepackctl models fetch`";
    WEIGHTS_TRUNCATED "FP3005", Internal, Farm,
        "truncated safetensors file",
        "download this folder of the model again, as with `framepackctl models fetch`";
    WEIGHTS_INDEX "FP3006", Internal, Farm,
        "shard index that does not match its files",
        "download this folder of the model again, as with `framepackctl models fetch`";
    TENSOR_MISSING "FP3007", Internal, Farm,
        "tensor is missing",
        "use config.json and weights of the same model";
    TENSOR_SHAPE "FP3008", Internal, Farm,
        "tensor has the wrong shape",
        "use config.json and weights of the same model";
    TENSOR_TYPE "FP3009", Internal, Farm,
        "tensor has an unsupported data type",
        "use a checkpoint stored as bf16, f16 or f32";
    TENSORS_UNUSED "FP3010", Internal, Farm,
        "tensors that the model does not use",
        "use config.json and weights of the same model";
    MODEL_CONFIG "FP3011", Internal, Farm,
        "configuration of a model (config.json, preprocessor_config.json) is unreadable, or of another model",
        "use the file of that name that belongs to this model";
    MODEL_INCOMPLETE "FP3012", Internal, Farm,
        "model bundle lacks something that the job needs",
        "fetch the models with `framepackctl models fetch`, or point `models.bundle` at a folder that has them";
    MODEL_DEFAULTS "FP3013", Internal, Farm,
        "model bundle's framepack.json is invalid",
        "correct it, or download it again";
    MODEL_POINTER "FP3014", Internal, Farm,
        "file of the model bundle is a pointer of git-lfs or git-annex, not the file itself",
        "run `git lfs pull` (or `git annex get .`) in the model's folder";
    MODEL_UNFINISHED "FP3015", Internal, Farm,
        "file of the model bundle is not there to its end: a download or copy was broken off, or still runs",
        "continue the download, as with `framepackctl models fetch`, or copy the file again";
    MODEL_WEB_PAGE "FP3016", Internal, Farm,
        "web page or message of a server saved in place of a model file",
        "download the file again; some models need a login first (`hf auth login`)";
    MODEL_LINK "FP3017", Internal, Farm,
        "link to a model file that is not there",
        "mount the disk that the link leads to, or download the model again, as with `framepackctl models fetch`, or copy the Hub's cache together with its blobs";

    TOKENIZER "FP3020", Internal, Farm,
        "tokenizer can't be used",
        "download the model bundle's tokenizer files again, as with `framepackctl models fetch`";
    PROMPT "FP3021", Input, Job,
        "prompt can't be tokenized",
        "reword the prompt; if no prompt works, the bundle's tokenizer is not the model's";
}
