//! `import` of weights as one file, as `ComfyUI` has them.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use framepack_bundle::look;
use framepack_jobs::Model;
use serde_json::{Map, Value, json};

use crate::{
    content::{F1, HUNYUAN, ORIGINAL, whole},
    hub::{Hub, Side},
    world::{World, faults},
};

/// Sizes by which the published models are known.
const SIZES: [(&str, &[u64]); 8] = [
    ("x_embedder.proj.weight", &[3072, 16, 1, 2, 2]),
    ("context_embedder.proj_in.weight", &[3072, 4096]),
    ("image_projection.up.weight", &[9216, 1152]),
    ("transformer_blocks.0.attn.norm_q.weight", &[128]),
    (
        "single_transformer_blocks.0.proj_mlp.weight",
        &[12288, 3072],
    ),
    (
        "text_model.embeddings.token_embedding.weight",
        &[49408, 768],
    ),
    (
        "text_model.embeddings.position_embedding.weight",
        &[77, 768],
    ),
    ("text_model.encoder.layers.0.mlp.fc1.weight", &[3072, 768]),
];

/// A folder of `ComfyUI`.
struct Comfy {
    world: World,
    hub: Hub,
    models: PathBuf,
}

impl Comfy {
    fn new() -> Self {
        let hub = Hub::start();
        let world = World::of(&hub);
        let models = world.home().join("ComfyUI/models");
        for folder in ["diffusion_models", "text_encoders", "vae"] {
            fs::create_dir_all(models.join(folder)).unwrap();
        }
        Self { world, hub, models }
    }

    /// A transformer of the published size, of which nothing but the header takes room on the disk.
    fn transformer(&self, name: &str, dtype: &str) {
        let layers = [
            ("transformer_blocks", 20),
            ("single_transformer_blocks", 40),
        ];
        let names = names("transformer", "diffusion_pytorch_model", &layers);
        let path = self.models.join("diffusion_models").join(name);
        write(&path, &names, (dtype, 2 << 30));
    }

    fn import(&self, to: Option<&Path>) -> String {
        let mut arguments = vec!["import", self.models.to_str().unwrap()];
        arguments.extend(to.iter().flat_map(|to| ["--to", to.to_str().unwrap()]));
        self.world.run(&arguments).ok().stdout
    }

    /// Weights that were fetched of a repository.
    fn fetched(&self, name: &str) -> Vec<String> {
        let requests = self.hub.requests().into_iter();
        let weights = requests.filter(|it| it.side == Side::Downloads && it.path.contains(name));
        weights.map(|it| it.path).collect()
    }
}

/// The tensors of a part of the tests' bundle, with as many layers as are published.
fn names(folder: &str, base: &str, layers: &[(&str, usize)]) -> BTreeSet<String> {
    let weights = &whole(folder)[&format!("{base}.safetensors")];
    let bytes = u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
    let header: Map<String, Value> = serde_json::from_slice(&weights[8..8 + bytes]).unwrap();
    let names = header.into_iter().map(|(name, _)| name);
    let names = names.filter(|name| name != "__metadata__");
    let all = names.flat_map(|name| {
        let layer = layers.iter().find_map(|(layer, count)| {
            let rest = name.strip_prefix(layer)?.strip_prefix('.')?;
            let (_, rest) = rest.split_once('.')?;
            let of = |number| format!("{layer}.{number}.{rest}");
            Some((0..*count).map(of).collect::<Vec<_>>())
        });
        layer.unwrap_or_else(|| vec![name])
    });
    all.collect()
}

fn write(path: &Path, names: &BTreeSet<String>, (dtype, data_bytes): (&str, u64)) {
    let tensor = |name: &String| {
        let size = SIZES.iter().find(|(of, _)| of == name);
        let shape = size.map_or(&[1][..], |(_, shape)| shape);
        let tensor = json!({"dtype": dtype, "shape": shape, "data_offsets": [0, data_bytes]});
        (name.clone(), tensor)
    };
    let header: Map<String, Value> = names.iter().map(tensor).collect();
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = File::create(path).unwrap();
    let length = header.len() as u64;
    file.write_all(&length.to_le_bytes()).unwrap();
    file.write_all(&header).unwrap();
    file.set_len(8 + length + data_bytes).unwrap();
}

#[test]
fn transformer_as_one_file_is_linked_and_not_fetched() {
    for (file, name, model) in [
        ("FramePackI2V_HY_bf16.safetensors", ORIGINAL, "original"),
        ("FramePack_F1_I2V_HY_20250503_bf16.safetensors", F1, "f1"),
    ] {
        let comfy = Comfy::new();
        comfy.transformer(file, "BF16");
        let said = comfy.import(None);
        let rest = format!("models fetch {model} --to DIR` would then get the rest: vae,");
        assert!(said.contains(&rest), "{said}");
        let to = comfy.world.home().join("bundle");
        let dir = to.to_str().unwrap();
        for _ in 0..2 {
            let said = comfy.import(Some(&to));
            let command = format!("`framepackctl models fetch {model} --to {dir}`");
            let rest = format!("{command} gets the rest: vae, text_encoder,");
            assert!(said.contains(&rest), "{said}");
        }
        let folder = to.join(name.split_once('/').unwrap().1);
        let link = folder.join("diffusion_pytorch_model.safetensors");
        assert!(link.is_symlink() && !folder.join("config.json").is_symlink());
        comfy.hub.requests();
        for _ in 0..2 {
            let ended = comfy.world.fetch(&[model, "--to", dir]).ok();
            let says = format!("{} is not compared with the Hub\n", link.display());
            assert!(ended.stdout.contains(&says), "{}", ended.stdout);
            assert_eq!(comfy.fetched(name), [""; 0]);
        }
        assert!(link.is_symlink());
        let job = if name == F1 {
            Model::F1
        } else {
            Model::Original
        };
        assert!(look(&to, None).is_sound_for(job));
    }
}

#[test]
fn what_is_not_read_is_named_with_the_reason() {
    let comfy = Comfy::new();
    comfy.transformer("FramePackI2V_HY_fp8_e4m3fn.safetensors", "F8_E4M3");
    let models = comfy.models.to_str().unwrap();
    let said = comfy.world.run(&["import", models]);
    said.failed(4, "FP9111", &["that can be used", "fp8_e4m3fn", "float8"]);
    let folder = comfy.models.join("diffusion_models");
    fs::write(folder.join("FramePackI2V_HY-Q4_K_M.gguf"), "GGUF").unwrap();
    let vae = comfy.models.join("vae/hunyuan_video_vae_bf16.safetensors");
    let names = ["decoder.mid.attn_1.q.weight".to_owned()].into();
    write(&vae, &names, ("BF16", 100));
    comfy.transformer("renamed.safetensors", "F16");
    let shard = "diffusion_pytorch_model-00001-of-00003.safetensors";
    let names = ["clean_x_embedder.proj.weight".to_owned()].into();
    write(&folder.join(shard), &names, ("BF16", 2 << 30));
    let lora = folder.join("FramePack_lora.safetensors");
    let names = ["x.lora_A.weight".to_owned()].into();
    write(&lora, &names, ("BF16", 100));
    let cut = folder.join("FramePack_cut.safetensors");
    fs::copy(&lora, &cut).unwrap();
    let file = File::options().write(true).open(&cut).unwrap();
    file.set_len(150).unwrap();
    let said = comfy.import(None);
    for says in [
        "FramePack_cut.safetensors is not usable: it is truncated",
        "Q4_K_M.gguf is not usable: GGUF",
        "hunyuan_video_vae_bf16.safetensors is not usable: other names of tensors",
        "float8 values (F8_E4M3)",
    ] {
        assert!(said.contains(says), "{says:?}: {said}");
    }
    assert!(!said.contains(shard) && !said.contains("lora"), "{said}");
    let lines = said.lines();
    let usable = lines.filter(|line| line.starts_with("transformer") && line.contains("complete"));
    let usable: Vec<_> = usable.collect();
    assert!(matches!(usable[..], [line] if line.ends_with("renamed.safetensors")));
}

#[test]
fn encoder_as_one_file_is_linked_and_not_fetched() {
    let comfy = Comfy::new();
    let layers = [("text_model.encoder.layers", 12)];
    let names = names("text_encoder_2", "model", &layers);
    let file = comfy.models.join("text_encoders/clip_l.safetensors");
    write(&file, &names, ("F16", 1000));
    let to = comfy.world.home().join("bundle");
    comfy.import(Some(&to));
    comfy.hub.requests();
    comfy.world.fetch(&["--to", to.to_str().unwrap()]).ok();
    let fetched = comfy.fetched(HUNYUAN);
    let has = |folder: &str| fetched.iter().any(|path| path.contains(folder));
    assert!(
        has("/text_encoder/") && !has("/text_encoder_2/"),
        "{fetched:?}"
    );
    assert_eq!(faults(&to), []);
}

#[test]
fn part_of_the_published_size_is_taken_before_a_small_one() {
    let comfy = Comfy::new();
    let small = comfy.models.join("FramePackI2V_HY");
    fs::create_dir(&small).unwrap();
    for (name, bytes) in whole("transformer") {
        fs::write(small.join(name), bytes).unwrap();
    }
    assert!(comfy.import(None).contains(small.to_str().unwrap()));
    comfy.transformer("FramePackI2V_HY_bf16.safetensors", "BF16");
    let said = comfy.import(None);
    assert!(said.contains("HY_bf16.safetensors"), "{said}");
    assert!(!said.contains(small.to_str().unwrap()), "{said}");
}
