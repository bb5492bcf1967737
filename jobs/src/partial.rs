//! A video of which a part was made: the sections that a job had when it was cancelled.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which part of the video that the job asked for there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partial {
    /// Which end of it.
    pub part: Part,
    /// Sections that there are.
    pub sections: u32,
    /// Sections that were to be made.
    pub of_sections: u32,
    /// Frames that there are.
    pub frames: u32,
    /// Their length in seconds.
    pub secs: f64,
    /// Length in seconds that the video was to have.
    pub of_secs: f64,
}

/// An end of a video, by the order in which its sections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The model works forward from the start image (F1).
    Beginning,
    /// The model works backward from the end, and would have come to the start image last (original).
    End,
    /// A part of a later version.
    #[serde(other)]
    Unknown,
}

impl fmt::Display for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Beginning => "its beginning",
            Part::End => "its end, since this model makes a video from its end to its start image",
            Part::Unknown => "a part of it",
        };
        let (there, all) = (self.secs, self.of_secs);
        write!(
            f,
            "{} of {} sections, {there:.2} s of {all:.2} s: {part}",
            self.sections, self.of_sections
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_which_end_it_is() {
        let partial = Partial {
            part: Part::End,
            sections: 2,
            of_sections: 4,
            frames: 69,
            secs: 2.3,
            of_secs: 145.0 / 30.0,
        };
        let end = "2 of 4 sections, 2.30 s of 4.83 s: its end, since this model makes a video from its end to its start image";
        assert_eq!(partial.to_string(), end);
        let beginning = Partial {
            part: Part::Beginning,
            ..partial.clone()
        };
        assert_eq!(
            beginning.to_string(),
            "2 of 4 sections, 2.30 s of 4.83 s: its beginning"
        );
        let json = serde_json::to_value(&partial).unwrap();
        assert_eq!(json["part"], "end");
        assert_eq!(serde_json::from_value::<Partial>(json).unwrap(), partial);
    }
}
