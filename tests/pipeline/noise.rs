//! In a process of its own: libtorch has one CPU generator for all threads.

use framepack_engine::sampler::NoiseStream;

use crate::worker::fixtures;

#[test]
fn draws_are_those_of_the_reference_generator() {
    let path = fixtures().join("parity/data/noise.json");
    let reference: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let shape: Vec<i64> = serde_json::from_value(reference["shape"].clone()).unwrap();
    let mut noise = NoiseStream::new(reference["seed"].as_u64().unwrap());
    let draws = reference["first_32_of_each_draw"].as_array().unwrap();
    assert!(!draws.is_empty());
    for wanted in draws {
        let wanted: Vec<f32> = serde_json::from_value(wanted.clone()).unwrap();
        let draw = noise
            .next(&shape)
            .flatten(0, -1)
            .narrow(0, 0, wanted.len() as i64);
        assert_eq!(Vec::<f32>::try_from(draw).unwrap(), wanted);
    }
}
