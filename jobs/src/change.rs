//! A job as a job file again, and what becomes of a job when another file stands in its place.

use framepack_yaml::Node;

use crate::{
    API, Dependency, Job, RetrySpec, SeedSpec, Timestamp, ValidSpec, Validated, Value, Window,
    parse::put,
    settings::{Counts, IMAGE, Kind, OUTPUT_CRF, Origin, Origins, Row, Scope, TABLE},
    validate::derived_key,
};

/// Characters of a key that nobody wrote: a SHA-256 in hexadecimal.
const DERIVED_KEY_CHARS: usize = 64;

impl Job {
    /// The job file that says what the job says itself: no default, neither the farm's nor a preset's. `image_sha256`: of
    /// its start image, by which a key is known that the file has.
    pub fn to_file(&self, image_sha256: &str) -> String {
        let mut root = Node::Map(Vec::new());
        let mut text = |key: &str, text: &str| put(&mut root, key, Node::Text(text.to_owned()));
        text("api", API);
        text("name", &self.name);
        if self.has_own_key(image_sha256) {
            text("key", &self.key);
        }
        for (row, value) in own(&self.spec, &self.origins) {
            put(&mut root, row.key, node_of(row, &value));
        }
        put_output(&mut root, &self.spec);
        self.put_schedule(&mut root);
        framepack_yaml::write(&root)
    }

    /// Whether its file says its key.
    pub fn has_own_key(&self, image_sha256: &str) -> bool {
        let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        let is_like_derived = self.key.len() == DERIVED_KEY_CHARS && self.key.chars().all(is_digit);
        // Records of before do not tell the image's hash.
        let may_be = || {
            image_sha256.is_empty()
                || derived_key(&self.name, &self.spec, image_sha256, self.drawn()) == self.key
        };
        !(is_like_derived && may_be())
    }

    /// What `seed: random` drew.
    pub fn drawn(&self) -> Option<u32> {
        let is_random = self.spec.seed == SeedSpec::Random;
        u32::try_from(self.seed).ok().filter(|_| is_random)
    }

    fn put_schedule(&self, root: &mut Node) {
        let schedule = &self.schedule;
        let mut set = |key: &str, node: Option<Node>| {
            if let Some(node) = node {
                put(root, key, node);
            }
        };
        let priority = Some(schedule.priority).filter(|priority| *priority != 0);
        set("priority", priority.map(|number| Node::Int(number.into())));
        set("group", schedule.group.clone().map(Node::Text));
        let after: Vec<Node> = schedule.after.iter().map(dependency).collect();
        set("after", (!after.is_empty()).then_some(Node::List(after)));
        set("not_before", schedule.not_before.map(time));
        set("deadline", schedule.deadline.map(time));
        set("window.hours", schedule.window.map(hours));
        let at_end = |window: Window| Node::Text(window.at_end().as_str().to_owned());
        set("window.at_end", schedule.window.map(at_end));
        let (retry, usual) = (&schedule.retry, RetrySpec::default());
        let max = (retry.max != usual.max).then_some(Node::Int(retry.max.into()));
        set("retry.max", max);
        let classes = retry.on.iter();
        let classes = classes.map(|class| Node::Text(class.as_str().to_owned()));
        let on = (retry.on != usual.on).then(|| Node::List(classes.collect()));
        set("retry.on", on);
        let backoff = retry.backoff_secs;
        let backoff = (backoff != usual.backoff_secs).then_some(Node::Int(backoff.into()));
        set("retry.backoff_secs", backoff);
    }
}

impl Validated {
    /// The same as a change of `job`. Where the settings are those of before, they are what they were when the job was
    /// accepted, whatever the farm's defaults and presets are by now.
    #[must_use]
    pub fn as_change_of(mut self, job: &Job) -> Self {
        let mine: Vec<_> = own(&self.spec, &self.origins).collect();
        let before: Vec<_> = own(&job.spec, &job.origins).collect();
        if mine == before {
            let output = self.spec.output;
            self.spec = job.spec.clone();
            (self.spec.output.dir, self.spec.output.name) = (output.dir, output.name);
            self.farm_defaults = job.farm_defaults.clone();
            self.origins.clone_from(&job.origins);
            self.warnings.clone_from(&job.warnings);
            return self;
        }
        for (row, value) in before {
            let was_set = job.origins.get(row.key) == Some(&Origin::Set);
            if was_set && mine.contains(&(row, value)) {
                self.origins.insert(row.key.to_owned(), Origin::Set);
            }
        }
        self
    }
}

impl ValidSpec {
    /// The keys of what sampled sections depend on and that `other` has otherwise. The start image is compared by its
    /// content elsewhere.
    pub fn sampled_otherwise(&self, other: &Self) -> Vec<&'static str> {
        let rows = TABLE.into_iter();
        let rows = rows.filter(|row| row.counts == Counts::AtSubmission);
        let rows = rows.filter(|row| ![IMAGE.key, OUTPUT_CRF.key].contains(&row.key));
        let differing = rows.filter(|row| self.get(row) != other.get(row));
        differing.map(|row| row.key).collect()
    }
}

/// What a job sets itself. Of a record that does not tell, all that differs from its default.
fn own(spec: &ValidSpec, origins: &Origins) -> impl Iterator<Item = (&'static Row, Value)> {
    let is_own = |row: &Row, value: &Value| match origins.get(row.key) {
        Some(Origin::Job | Origin::Set) => true,
        None if origins.is_empty() => row.default_value().as_ref() != Some(value),
        _ => false,
    };
    let rows = TABLE.into_iter().filter(|row| row.scope != Scope::Farm);
    let values = rows.filter_map(|row| Some((row, spec.get(row)?)));
    let own: Vec<_> = values.filter(|(row, value)| is_own(row, value)).collect();
    own.into_iter()
}

fn put_output(root: &mut Node, spec: &ValidSpec) {
    let usual = ValidSpec::default().output;
    let output = &spec.output;
    if output.dir != usual.dir {
        let dir = output.dir.to_string_lossy().into_owned();
        put(root, "output.dir", Node::Text(dir));
    }
    if output.name != usual.name {
        let name = String::from(output.name.clone());
        put(root, "output.name", Node::Text(name));
    }
}

fn node_of(row: &Row, value: &Value) -> Node {
    match (&row.kind, value) {
        (Kind::Seed, Value::Text(text)) => match text.parse::<u64>() {
            Ok(seed) => Node::Int(seed.into()),
            Err(_) => Node::Text(text.clone()),
        },
        (Kind::Names, Value::Text(names)) => {
            let names = names.split_terminator(',');
            Node::List(names.map(|name| Node::Text(name.to_owned())).collect())
        }
        (_, Value::Text(text)) => Node::Text(text.clone()),
        (_, Value::Integer(number)) => Node::Int((*number).into()),
        (_, Value::Number(number)) if number.fract() == 0.0 => Node::Int(*number as i128),
        (_, Value::Number(number)) => Node::Float(*number),
    }
}

fn dependency(dependency: &Dependency) -> Node {
    match dependency {
        Dependency::Number(id) => Node::Int(id.0.into()),
        Dependency::Named(name) => Node::Text(name.clone()),
    }
}

/// `22:00-07:00`
fn hours(window: Window) -> Node {
    Node::Text(window.to_string())
}

/// `2026-11-24T06:30:00Z`
fn time(time: Timestamp) -> Node {
    let text = time.to_string();
    let whole_secs = text.strip_suffix(".000000Z");
    Node::Text(whole_secs.map_or_else(|| text.clone(), |secs| format!("{secs}Z")))
}

#[cfg(test)]
mod tests {
    use crate::{JobId, JobSpec, JobState, Runs, Source, Surroundings, settings::Farm};

    use super::*;

    fn validated(text: &str, farm: Farm) -> Validated {
        let surroundings = Surroundings {
            file_stem: "stem".to_owned(),
            bundle_latent_window: 9,
            farm,
        };
        let spec = JobSpec::parse(text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        spec.validate(&surroundings).unwrap()
    }

    fn job(validated: Validated) -> Job {
        let key = validated.key_for("hash", 5);
        Job {
            id: JobId(7),
            seed: validated.spec.seed.resolve(&key, || 5),
            key,
            name: validated.name,
            state: JobState::Queued,
            submitted_at: Timestamp::now(),
            source: Source::Submit { folder: "/".into() },
            spec: validated.spec,
            farm_defaults: validated.farm_defaults,
            origins: validated.origins,
            schedule: validated.schedule,
            image: "/a.png".into(),
            output: "/a.mp4".into(),
            runs: Runs::default(),
            warnings: validated.warnings,
        }
    }

    fn file(keys: &str) -> String {
        format!("api: framepack/v1\nstart: {{image: a.png}}\n{keys}\n")
    }

    #[test]
    fn a_job_is_the_file_again_that_it_came_from() {
        for keys in [
            "",
            "prompt: \"12\"\nseed: 18446744073709551615",
            "prompt: |\n  A cat: it yawns. #1\n  It sleeps.\nseed: random",
            "name: 猫\nkey: mine\ngroup: night\npriority: -5",
            "after: [3, shot-1]\nnot_before: 2026-11-24T06:30:00+01:00\ndeadline: 2026-11-25T06:30:00Z",
            "window: \"22:00-07:00\"",
            "window: {hours: \"22:00-24:00\", at_end: section}",
            "retry: {max: 0, on: [oom, internal], backoff_secs: 3}",
            "output: {dir: shots/a, name: \"{name}\", crf: 3}\nlength: {seconds: 3.5}",
            "guidance: {cfg: 2.5, distilled: 10}\nsize: {bucket: 640}\nsteps: 25",
            "vae: {quality: on}\ncache: {kind: teacache, threshold: 0.2}",
            "profile: standard\npreset: [hands]\nsteps: 3",
            "preset: []\nmodel: f1",
            "start: {image: a.png, background: \"#000000\"}",
        ] {
            let text = if keys.starts_with("start:") {
                format!("api: framepack/v1\n{keys}\n")
            } else {
                file(keys)
            };
            let before = job(validated(&text, Farm::default()));
            let written = before.to_file("hash");
            let after = job(validated(&written, Farm::default()));
            let but_time = Job {
                submitted_at: before.submitted_at,
                ..after
            };
            assert_eq!(but_time, before, "{written}");
            assert_eq!(but_time.to_file("hash"), written);
        }
    }

    #[test]
    fn a_key_is_written_only_if_a_file_had_it() {
        let derived = job(validated(&file("steps: 3"), Farm::default()));
        assert!(!derived.has_own_key("hash"));
        assert!(derived.has_own_key("another image's"));
        assert!(!derived.has_own_key(""), "a record of before");
        let own = job(validated(&file("key: mine"), Farm::default()));
        assert!(own.has_own_key("hash"));
    }

    #[test]
    fn a_record_that_tells_no_origins_has_all_that_is_no_default() {
        let mut job = job(validated(
            &file("steps: 3\nguidance: {cfg: 1}"),
            Farm::default(),
        ));
        job.origins.clear();
        let expected = "api: framepack/v1\nname: stem\nstart:\n  image: a.png\nsteps: 3\n";
        assert_eq!(job.to_file("hash"), expected);
    }

    #[test]
    fn farm_wide_defaults_stay_until_a_setting_is_changed() {
        use crate::settings::STEPS;
        let farm = |steps| {
            let mut farm = Farm::default();
            let origin = Origin::File {
                key: "steps".to_owned(),
            };
            farm.set(&STEPS, Value::Integer(steps), origin);
            farm
        };
        let job = job(validated(&file("prompt: a"), farm(20)));
        let changed = |keys: &str| validated(&file(keys), farm(30)).as_change_of(&job);
        let steps = |changed: Validated| changed.spec.with(&changed.farm_defaults).steps;
        assert_eq!(steps(changed("prompt: a\npriority: 5\nname: b")), Some(20));
        assert_eq!(steps(changed("prompt: b")), Some(30));
    }

    #[test]
    fn what_sections_depend_on() {
        let spec = |keys: &str| validated(&file(keys), Farm::default()).spec;
        let before = spec("prompt: a");
        let changed = |keys: &str| spec(keys).sampled_otherwise(&before);
        assert_eq!(changed("prompt: b\nsteps: 3"), ["prompt", "steps"]);
        let others = "prompt: a\noutput: {crf: 3, dir: b}\nattention: off\npriority: 3";
        assert_eq!(changed(others), [""; 0]);
    }
}
