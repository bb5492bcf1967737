//! 9xxx: getting the models, and anything else.

codes! {
    INTERNAL "FP9001", Internal, Program,
        "internal error of framepackd or framepackctl",
        "report it with the log";

    HUB_UNREACHABLE "FP9101", Unreachable, Farm,
        "Hugging Face Hub can't be reached, or breaks off again and again",
        "check network, HTTPS_PROXY and HF_ENDPOINT; the same command goes on where it stopped";
    HUB_BUSY "FP9102", Unreachable, Farm,
        "Hub refuses for now (429) or fails (5xx), also when asked again",
        "run the same command again later: it goes on where it stopped; HF_TOKEN raises the Hub's limits";
    HUB_DENIED "FP9103", Policy, Job,
        "Hub wants a login, or consent to a licence",
        "set HF_TOKEN to a token of huggingface.co/settings/tokens, and accept the licence on the repository's page";
    HUB_NOT_FOUND "FP9104", NotFound, Farm,
        "Hub has no such repository, or no such file in it",
        "check HF_ENDPOINT: a mirror may lack it";
    HUB_ANSWER "FP9105", Protocol, Farm,
        "answer that is not the Hub's",
        "check HF_ENDPOINT and HTTPS_PROXY: something else answers in the Hub's place";
    HUB_OFFLINE "FP9106", Unreachable, Job,
        "files of the models are missing, and HF_HUB_OFFLINE forbids to fetch them",
        "unset HF_HUB_OFFLINE, or find the files elsewhere with `framepackctl models import DIR`";
    FETCH_HASH "FP9107", Internal, Farm,
        "fetched file is not what the Hub says it is, twice",
        "check HF_ENDPOINT and HTTPS_PROXY, and the memory and disk of this machine; then run the same command again";
    FETCH_SPACE "FP9108", Resource, Farm,
        "disk has no room for the models",
        "make room, or name another disk with `--to DIR` or HF_HOME; the same command goes on where it stopped";
    MODEL_FOLDER "FP9109", Internal, Farm,
        "folder or file of the models can't be read or written",
        "check the path and its permissions";
    MODELS_DAMAGED "FP9110", Validation, Farm,
        "file of the models is not what its hash says",
        "run `framepackctl models fetch` again: it replaces the file";
    IMPORT_NOTHING "FP9111", NotFound, Job,
        "folder has no part of FramePack's models",
        "name the folder that has them: a Hub cache, FramePack's `hf_download`, or `ComfyUI/models`";
}
