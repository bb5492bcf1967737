//! Which frames are kept and taken, and that they are those that decoding would make again.

use super::*;
use crate::{
    section::SectionOrder,
    vae::{FinestLevel, Joined, Precision, SpaceTiling, TimeTiling},
};

const HOW: (DecodeScheme, Kind) = (
    DecodeScheme {
        time: TimeTiling::Reference,
        space: SpaceTiling::Whole,
        precision: Precision::Model,
        finest: FinestLevel::AtOnce,
    },
    Kind::Float,
);

/// The latents of a whole video, (1, 16, T, 2, 2): not drawn, since libtorch has one generator for all threads.
fn video(sections: &SectionPlan) -> Tensor {
    let shape = [1, 16, sections.latent_frames(), 2, 2];
    let count = shape.iter().product::<i64>();
    Tensor::arange(count, (Kind::Float, Device::Cpu))
        .sin()
        .view(shape)
}

/// What is decoded after the section with this index.
fn newest(sections: &SectionPlan, video: &Tensor, index: usize) -> Tensor {
    let decoded = sections.decoded(index);
    let start = decoded.start
        + if decoded.start < 0 {
            sections.latent_frames()
        } else {
            0
        };
    video.narrow(2, start, decoded.end - decoded.start)
}

/// Frames that tell of which latents they are, and which of a tile's they are.
fn frames_of(latents: &Tensor) -> Tensor {
    let length = latents.size()[2];
    let pixels = latents
        .narrow(1, 0, 3)
        .upsample_nearest3d([4 * length, 16, 16], None, None, None);
    let frames = pixels.narrow(2, 3, 4 * length - 3);
    let numbers = Tensor::arange(4 * length - 3, (Kind::Float, Device::Cpu));
    frames + numbers.view([1, 1, -1, 1, 1])
}

/// Decodes a section as the pipeline does. Returns the frames and the inputs of the tiles that were reused.
fn decode(latents: &Tensor, recurring: &mut RecurringTiles) -> (Tensor, Vec<Range<i64>>) {
    let (mut joined, mut reused) = (Joined::default(), vec![]);
    for tile in TimeTiling::Reference.tiles(latents.size()[2]) {
        let input = || TileInput::new(latents, &tile, HOW);
        let made = recurring.take(&input());
        if made.is_some() {
            reused.push(tile.input.clone());
        }
        let made = made.unwrap_or_else(|| TileFrames {
            frames: frames_of(&tile.of(latents)),
            is_slow: false,
        });
        recurring.keep(&tile, (input(), &made));
        joined.push(&tile, &made.frames);
    }
    recurring.end();
    (joined.whole(), reused)
}

#[test]
fn a_section_has_the_frames_of_a_decode_of_its_own() {
    for (order, expected) in [
        (
            SectionOrder::Backward,
            [
                vec![],
                vec![9..14, 12..17, 15..18],
                vec![9..14, 12..17],
                vec![],
            ],
        ),
        (
            SectionOrder::Forward,
            [vec![], vec![], vec![0..5, 3..8], vec![0..5, 3..8]],
        ),
    ] {
        let sections = SectionPlan::new(order, 4, 9);
        let video = video(&sections);
        let mut recurring = RecurringTiles::new(Some(Device::Cpu));
        for (index, expected) in expected.iter().enumerate() {
            let latents = newest(&sections, &video, index);
            recurring.begin((&sections, index), HOW.0);
            let (frames, reused) = decode(&latents, &mut recurring);
            assert_eq!(reused, *expected, "{order:?}, section {index}");
            let (anew, _) = decode(&latents, &mut RecurringTiles::new(None));
            assert!(frames.equal(&anew), "{order:?}, section {index}");
        }
        let reused = expected.iter().map(Vec::len).sum::<usize>();
        assert_eq!(recurring.counts().reused as usize, reused);
        assert!(recurring.earlier.is_empty(), "nothing waits for nobody");
    }
}

/// A tile, decoded, as it waits.
fn waiting(latents: &Tensor, tile: &TimeTile) -> RecurringTiles {
    let sections = SectionPlan::new(SectionOrder::Backward, 3, 9);
    let mut recurring = RecurringTiles::new(Some(Device::Cpu));
    recurring.begin((&sections, 0), HOW.0);
    let made = TileFrames {
        frames: Tensor::full([1, 3, 17, 8, 8], 0.5, (Kind::Half, Device::Cpu)),
        is_slow: true,
    };
    recurring.keep(tile, (TileInput::new(latents, tile, HOW), &made));
    let _ = made.frames.shallow_clone().fill_(7.0); // as neighbours fade into it
    recurring.end();
    recurring
}

#[test]
fn frames_are_taken_once_and_only_where_everything_is_the_same() {
    let sections = SectionPlan::new(SectionOrder::Backward, 3, 9);
    let video = video(&sections);
    let latents = newest(&sections, &video, 0);
    let tile = &TimeTiling::Reference.tiles(9)[0];
    let one_bit = latents.copy();
    let _ = one_bit
        .narrow(2, 4, 1)
        .narrow(1, 15, 1)
        .multiply_scalar_(1.0 + 1e-7);
    let in_f32 = DecodeScheme {
        precision: Precision::F32Sums,
        ..HOW.0
    };
    let next = newest(&sections, &video, 1);
    let again = &TimeTiling::Reference.tiles(18)[3];
    for other in [
        TileInput::new(&one_bit, tile, HOW),
        TileInput::new(&latents, tile, (in_f32, Kind::Float)),
        TileInput::new(&latents, tile, (HOW.0, Kind::Half)),
        TileInput::new(&next, &TimeTiling::Reference.tiles(18)[0], HOW),
    ] {
        let mut recurring = waiting(&latents, tile);
        assert!(recurring.take(&other).is_none(), "{other:?}");
        recurring.leave_device();
        let made = recurring.take(&TileInput::new(&next, again, HOW)).unwrap();
        assert!(made.is_slow && made.frames.eq(0.5).all().int64_value(&[]) == 1);
        assert!(recurring.take(&TileInput::new(&next, again, HOW)).is_none());
        assert_eq!(recurring.counts().reused, 1);
    }
}

#[test]
fn nothing_waits_that_does_not_recur() {
    let sections = SectionPlan::new(SectionOrder::Backward, 2, 9);
    let latents = newest(&sections, &video(&sections), 0);
    let tile = &TimeTiling::Reference.tiles(9)[0];
    for (place, index) in [(Some(Device::Cpu), 0), (Some(Device::Cpu), 1), (None, 0)] {
        let mut recurring = RecurringTiles::new(place);
        recurring.begin((&sections, index), HOW.0);
        let made = TileFrames {
            frames: Tensor::zeros([1, 3, 17, 8, 8], (Kind::Float, Device::Cpu)),
            is_slow: false,
        };
        recurring.keep(tile, (TileInput::new(&latents, tile, HOW), &made));
        assert!(recurring.newest.is_empty(), "{place:?}, {index}");
    }
}
