//! Frames after the VAE against FramePack's own functions, from the goldens of `tests/oracle/generate.py`.

use framepack_engine::picture::preview::latent_preview;
use framepack_engine::video::frames::{soft_append, to_rgb24};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use tch::{Kind, Tensor};

use crate::golden;

fn tensor(file: &SafeTensors<'_>, name: &str) -> Tensor {
    let view: TensorView<'_> = file.tensor(name).unwrap();
    let kind = match view.dtype() {
        Dtype::F32 => Kind::Float,
        Dtype::F16 => Kind::Half,
        Dtype::U8 => Kind::Uint8,
        other => panic!("{name} is {other:?}"),
    };
    let shape: Vec<i64> = view.shape().iter().map(|n| *n as i64).collect();
    Tensor::from_data_size(view.data(), &shape, kind)
}

#[test]
fn soft_append_equals_the_originals() {
    let bytes = golden("pixels.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (name, kind) in [("float16", Kind::Half), ("float32", Kind::Float)] {
        let head = tensor(&file, "head").to_kind(kind);
        let tail = tensor(&file, "tail").to_kind(kind);
        for overlap in [0, 5, 7] {
            let expected = tensor(&file, &format!("soft_append.{name}.{overlap}"));
            let joined = soft_append(&head, &tail, overlap);
            assert!(joined == expected, "{name}, overlap {overlap}");
        }
    }
}

#[test]
fn bytes_equal_the_originals() {
    let bytes = golden("pixels.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let frames = tensor(&file, "u8.input").view([1, 3, 1, 1, -1]); // three planes of one row
    let planes = tensor(&file, "u8.output").view([3, -1]);
    let packed = planes.transpose(0, 1).contiguous().view([-1]);
    assert_eq!(
        to_rgb24(&frames).unwrap(),
        Vec::<u8>::try_from(packed).unwrap()
    );
}

#[test]
fn the_preview_equals_the_originals() {
    let bytes = golden("pixels.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let preview = latent_preview(&tensor(&file, "latents"));
    let expected = tensor(&file, "preview"); // (T, h, w, 3)
    let (frames, height, width, _) = expected.size4().unwrap();
    assert_eq!(
        preview.dimensions(),
        ((frames * width) as u32, height as u32)
    );
    let strip = expected.permute([1, 0, 2, 3]).contiguous().view([-1]);
    assert_eq!(preview.into_raw(), Vec::<u8>::try_from(strip).unwrap());
}
