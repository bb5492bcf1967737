//! An example for each setting of a job, as a line of its file.

/// The key, and the line. Tests see that each is accepted and sets its key.
pub(super) const EXAMPLES: [(&str, &str); 33] = [
    ("model", "model: f1"),
    ("start.image", "start: {image: inputs/cat.jpg}"),
    ("start.background", "start: {background: \"#000000\"}"),
    ("prompt", "prompt: The cat yawns and stretches."),
    ("negative_prompt", "negative_prompt: blurry"),
    ("seed", "seed: 31337"),
    ("length.seconds", "length: {seconds: 3.5}"),
    ("steps", "steps: 32"),
    ("guidance.distilled", "guidance: {distilled: 12}"),
    ("guidance.cfg", "guidance: {cfg: 2}"),
    ("guidance.rescale", "guidance: {rescale: 0.7}"),
    ("size.bucket", "size: {bucket: 512}"),
    ("latent_window", "latent_window: 9"),
    ("output.crf", "output: {crf: 12}"),
    ("vae.mode", "vae: {mode: chunked}"),
    ("vae.chunk", "vae: {chunk: 2}"),
    ("vae.quality", "vae: {quality: on}"),
    ("vae.blend", "vae: {blend: 4}"),
    ("vae.tensorrt", "vae: {tensorrt: on}"),
    ("vae.overlap", "vae: {overlap: off}"),
    ("cache.kind", "cache: {kind: magcache}"),
    ("cache.threshold", "cache: {kind: teacache, threshold: 0.1}"),
    ("cache.max_skip", "cache: {kind: fbcache, max_skip: 3}"),
    ("cache.retention", "cache: {kind: magcache, retention: 0.3}"),
    ("cache.refresh", "cache: {kind: kv, refresh: 3}"),
    ("cache.budget_gb", "cache: {kind: simcache, budget_gb: 2}"),
    ("profile", "profile: standard"),
    ("preset", "preset: hands"),
    ("attention", "attention: aggressive"),
    ("memory.preserve_gb", "memory: {preserve_gb: 8}"),
    ("memory.load_chunk_mb", "memory: {load_chunk_mb: 128}"),
    ("memory.offload", "memory: {offload: aggressive}"),
    ("memory.backend", "memory: {backend: v1}"),
];

/// The example of a key.
pub(super) fn of(key: &str) -> &'static str {
    let mut examples = EXAMPLES.into_iter();
    let example = examples.find(|(known, _)| *known == key);
    example.map_or("", |(_, line)| line)
}
