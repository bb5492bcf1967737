//! The order of work on streams, and work that is recorded.

use tch::{Device, Kind, Tensor};

use super::finding::{Finding, max_difference, waves, within};
use crate::device::{
    graph::Graph,
    stream::{Event, Stream},
};

/// A copy on a stream of its own waits for the arithmetic before it, and the arithmetic after it for the copy.
pub(super) fn order(device: Device) -> Finding {
    let Some((side, current)) = Stream::new(device).zip(Stream::current(device)) else {
        return Ok(None);
    };
    let begin = Event::record_timed(&current);
    let mut computed = waves(&[1 << 24], 0.37, device);
    for _ in 0..64 {
        computed = computed.cos();
    }
    let copied = Tensor::zeros_like(&computed);
    side.wait(&Event::record(&current));
    side.copy(&computed, &copied);
    let end = Event::record_timed(&side);
    current.wait(&end);
    let difference = max_difference(&computed, &copied);

    end.synchronize();
    side.synchronize();
    let elapsed_secs = begin.elapsed_secs(&end);
    if !end.is_done() || elapsed_secs <= 0.0 {
        return Err(format!(
            "an event that was waited for says {elapsed_secs} s, done: {}",
            end.is_done()
        ));
    }
    let found = within(difference, 0.0, "from the original")?;
    Ok(found.map(|text| format!("{text}, {:.1} ms", elapsed_secs * 1e3)))
}

/// Recorded operations give in a replay what they give when run one by one, for inputs that came later.
pub(super) fn graph(device: Device) -> Finding {
    let Some((stream, current)) = Stream::new(device).zip(Stream::current(device)) else {
        return Ok(None);
    };
    let weight = waves(&[512, 512], 0.53, device);
    let mut input = waves(&[256, 512], 0.37, device);
    let shared = input.shallow_clone();
    let work = || shared.matmul(&weight).silu().softmax(-1, Kind::Float);

    stream.wait(&Event::record(&current));
    drop(stream.scope(work));
    stream.synchronize();
    let (graph, replayed) = Graph::capture(&stream, work);

    input.copy_(&waves(&[256, 512], 0.71, device));
    graph.replay();
    let first = max_difference(&replayed, &work());
    input.copy_(&waves(&[256, 512], 0.97, device));
    graph.replay();
    let second = max_difference(&replayed, &work());
    within(first.max(second), 1e-6, "of a replay")
}
