//! The measured ratios, and how they are found for other sizes and numbers of steps.
//!
//! `ratios.txt` has a line for each measurement: the model, the side of the square with about the video's area in pixels, the
//! steps, and a ratio a step, of which the first stands for none. The ratios are means in bf16, rounded to five decimals.

/// The measurements.
const RATIOS: &str = include_str!("ratios.txt");
/// Sides of the measured videos in pixels, in the order in which the nearest is looked for.
const SIDES_PX: [u32; 6] = [768, 640, 512, 384, 256, 128];
/// Steps of the measured schedules, likewise.
const STEPS: [usize; 3] = [25, 50, 75];

/// Whose ratios count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MagTable {
    /// FramePack's.
    #[default]
    Original,
    /// Those of F1.
    F1,
}

impl MagTable {
    fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::F1 => "f1",
        }
    }

    /// A ratio for each of so many steps (at least 1) of a video of `[height, width]` in pixels: those of the nearest
    /// measurement, its nearest steps where it has more or fewer.
    pub(in crate::transformer::cache) fn ratios(
        self,
        [height, width]: [u32; 2],
        steps: usize,
    ) -> Vec<f64> {
        let sum_px = height + width;
        let side = nearest(SIDES_PX, |side| (2 * side).abs_diff(sum_px));
        let measured = nearest(STEPS, |measured| measured.abs_diff(steps));
        let ratios = self.measured(side, measured);
        if steps == measured {
            return ratios;
        }
        if steps == 1 {
            return ratios[measured - 1..].to_vec();
        }
        let last = (steps - 1) as f64;
        let at = |step| (step * (measured - 1)) as f64 / last;
        let at = |step| ratios[at(step).round_ties_even() as usize];
        (0..steps).map(at).collect()
    }

    fn measured(self, side_px: u32, steps: usize) -> Vec<f64> {
        let head = format!("{} {side_px} {steps} ", self.as_str());
        let line = RATIOS.lines().find_map(|line| line.strip_prefix(&head));
        let line = line.expect("every size and number of steps was measured");
        let number = |text: &str| text.parse().expect("a test reads each ratio");
        line.split(' ').map(number).collect()
    }
}

/// The first of those that are nearest.
fn nearest<T: Copy, D: Ord, const N: usize>(all: [T; N], distance: impl Fn(T) -> D) -> T {
    let nearest = all.into_iter().min_by_key(|one| distance(*one));
    nearest.expect("there are some")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measurement_has_a_ratio_for_each_step() {
        for table in [MagTable::Original, MagTable::F1] {
            for side in SIDES_PX {
                for steps in STEPS {
                    let ratios = table.measured(side, steps);
                    assert_eq!((ratios.len(), ratios[0]), (steps, 1.), "{side} {steps}");
                    // Means in bf16 are multiples of 2^-8.
                    for ratio in ratios {
                        let multiple = ratio * 256.;
                        assert!((multiple - multiple.round()).abs() < 0.003, "{ratio}");
                    }
                }
            }
        }
        assert_eq!(RATIOS.lines().count(), 36);
    }

    #[test]
    fn other_steps_take_the_nearest_ones() {
        let measured = MagTable::F1.measured(640, 25);
        let ratios = MagTable::F1.ratios([608, 640], 5);
        let expected: Vec<f64> = [0, 6, 12, 18, 24].map(|step| measured[step]).into();
        assert_eq!(ratios, expected);
        assert_eq!(MagTable::F1.ratios([608, 640], 1), [measured[24]]);
        // Halves go to the even step: 24/48 of a step each.
        let ratios = MagTable::F1.ratios([608, 640], 37);
        assert_eq!((ratios.len(), &ratios[36..]), (37, &measured[24..]));
    }

    #[test]
    fn the_side_is_the_mean_of_both() {
        let side = |height, width| {
            let ratios = MagTable::Original.ratios([height, width], 25);
            SIDES_PX
                .into_iter()
                .find(|side| MagTable::Original.measured(*side, 25) == ratios)
        };
        for (height, width, expected) in [
            (608, 640, 640),
            (416, 960, 640),
            (64, 64, 128),
            (1280, 1280, 768),
            // In the middle between two, the larger.
            (704, 704, 768),
            (192, 192, 256),
        ] {
            assert_eq!(side(height, width), Some(expected), "{height}x{width}");
        }
    }
}
