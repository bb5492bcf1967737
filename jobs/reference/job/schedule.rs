//! The keys of a job file beside its settings: who it is, when it runs, and where its video goes.

/// A key.
pub(super) struct JobKey {
    pub(super) name: &'static str,
    pub(super) range: &'static str,
    pub(super) default: &'static str,
    /// A line of a job file.
    pub(super) example: &'static str,
    pub(super) about: &'static str,
    /// A line that is refused, just beyond the range. Tests alone read it.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "tests hold the ranges against the parser with it")
    )]
    beyond: &'static str,
}

/// All of them, in the order of the page.
pub(super) const KEYS: [JobKey; 17] = [
    JobKey {
        name: "api",
        range: "`framepack/v1`",
        default: "required",
        example: "api: framepack/v1",
        about: "the version of this format",
        beyond: "api: framepack/v2",
    },
    JobKey {
        name: "kind",
        range: "`Job`",
        default: "`Job`",
        example: "kind: Job",
        about: "what the file describes: one job",
        beyond: "kind: Batch",
    },
    JobKey {
        name: "name",
        range: "a name in any script, at most 128 characters and 180 bytes, without `/ \\ : * ? \" < > \\|`",
        default: "the file's name without its suffix",
        example: "name: pianist",
        about: "what lists and the video's file call it",
        beyond: "name: a/b",
    },
    JobKey {
        name: "key",
        range: "text, at most 200 characters",
        default: "a hash of everything that affects the video",
        example: "key: pianist-take-2",
        about: "the job's identity: a second file with the same key is a duplicate and is not rendered again",
        beyond: "key: []",
    },
    JobKey {
        name: "priority",
        range: "whole number, -1000 to 1000",
        default: "0",
        example: "priority: 10",
        about: "the highest runs first; each full day of waiting counts as one point",
        beyond: "priority: 1001",
    },
    JobKey {
        name: "group",
        range: "a name",
        default: "none",
        example: "group: night",
        about: "to pause jobs together: `framepackctl pause --group night`",
        beyond: "group: a/b",
    },
    JobKey {
        name: "after",
        range: "a job's number, name or key, or a list of at most 100",
        default: "none",
        example: "after: [7, pianist]",
        about: "it runs when these jobs are done, and fails if one of them ends without a video",
        beyond: "after: 0",
    },
    JobKey {
        name: "not_before",
        range: "a time with a date and an offset",
        default: "at once",
        example: "not_before: 2026-11-24T22:00:00+01:00",
        about: "it does not begin earlier",
        beyond: "not_before: tomorrow",
    },
    JobKey {
        name: "deadline",
        range: "a time with a date and an offset, later than `not_before`",
        default: "never",
        example: "deadline: 2026-11-25T06:30:00+01:00",
        about: "a job that has not started by then is `expired`; one that has started is finished",
        beyond: "deadline: 06:30",
    },
    JobKey {
        name: "window",
        range: "hours of the day in local time, in quotes, or a mapping of the next two keys",
        default: "all hours",
        example: "window: \"22:00-07:00\"",
        about: "the hours in which it may begin",
        beyond: "window: \"22:00\"",
    },
    JobKey {
        name: "window.hours",
        range: "hours of the day in local time, in quotes",
        default: "required in the mapping",
        example: "window: {hours: \"22:00-07:00\"}",
        about: "the same in a mapping",
        beyond: "window: {hours: \"22:00-25:00\"}",
    },
    JobKey {
        name: "window.at_end",
        range: "`finish`, `section`, `step`",
        default: "`finish`",
        example: "window: {hours: \"22:00-07:00\", at_end: section}",
        about: "what becomes of it if they end while it runs: it is finished, or suspended after its section or before its next step, until they begin again",
        beyond: "window: {hours: \"22:00-07:00\", at_end: now}",
    },
    JobKey {
        name: "retry.max",
        range: "whole number, 0 to 10",
        default: "2",
        example: "retry: {max: 5}",
        about: "further attempts after a failure",
        beyond: "retry: {max: 11}",
    },
    JobKey {
        name: "retry.on",
        range: "a list of `oom`, `numerics`, `hang`, `gpu`, `io`, `internal`",
        default: "all but `internal`",
        example: "retry: {on: [oom, gpu]}",
        about: "the classes of failures that are worth another attempt",
        beyond: "retry: {on: [input]}",
    },
    JobKey {
        name: "retry.backoff_secs",
        range: "whole number, 0 to 86400",
        default: "30",
        example: "retry: {backoff_secs: 60}",
        about: "the pause in seconds before the first of them, doubled with each",
        beyond: "retry: {backoff_secs: 86401}",
    },
    JobKey {
        name: "output.dir",
        range: "a relative path without `..`",
        default: "the outputs folder",
        example: "output: {dir: shots/pianist}",
        about: "the folder of the video, below the farm's outputs",
        beyond: "output: {dir: ../shots}",
    },
    JobKey {
        name: "output.name",
        range: "a template of `{name}` and `{seed}`, in quotes",
        default: "`{name}-{seed}`",
        example: "output: {name: \"{name}-take-{seed}\"}",
        about: "the video's name, without `.mp4`",
        beyond: "output: {name: \"{frames}\"}",
    },
];

#[cfg(test)]
mod tests {
    use framepack_jobs::settings::JOB_KEYS;

    use super::{super::tests::accepted, *};

    /// Keys of which the page has those below them.
    const SECTIONS: [&str; 1] = ["retry"];

    #[test]
    fn the_list_has_the_keys_that_the_parser_knows() {
        let is_listed = |key: &str| KEYS.iter().any(|known| known.name == key);
        for key in JOB_KEYS {
            assert!(is_listed(key) || SECTIONS.contains(&key), "{key}");
        }
        for key in &KEYS {
            let section = key.name.split('.').next().unwrap();
            let is_known = JOB_KEYS.contains(&key.name) || JOB_KEYS.contains(&section);
            assert!(is_known, "{}", key.name);
        }
    }

    #[test]
    fn each_example_is_accepted_and_what_is_beyond_the_range_refused() {
        for JobKey {
            name,
            example,
            beyond,
            ..
        } in &KEYS
        {
            accepted(example).unwrap_or_else(|why| panic!("{name}: {example}: {why}"));
            let refusal = accepted(beyond).expect_err(beyond);
            assert!(!refusal.contains("unknown key `"), "{name}: {refusal}");
        }
    }
}
