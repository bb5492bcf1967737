//! OpenMetrics text: metric families, each with its type, its help and its samples.

use std::fmt::Write;

/// A text that is being written.
#[derive(Debug, Default)]
pub(super) struct Text {
    lines: String,
    family: Option<Family>,
}

/// What several samples have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    name: &'static str,
    metric_type: MetricType,
    help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MetricType {
    Gauge,
    Counter,
}

impl Family {
    /// A figure that goes up and down.
    pub(super) fn gauge(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            metric_type: MetricType::Gauge,
            help,
        }
    }

    /// A figure that only grows while the daemon runs. Its samples' name ends in `_total`, its own does not.
    pub(super) fn counter(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            metric_type: MetricType::Counter,
            help,
        }
    }
}

impl Text {
    /// The samples that follow are of this family. One without samples is left out.
    pub(super) fn family(&mut self, family: Family) -> &mut Self {
        self.family = Some(family);
        self
    }

    /// A sample with its labels.
    pub(super) fn value(&mut self, labels: &[(&str, &str)], value: f64) {
        const NEVER_FAILS: &str = "writing to a string cannot fail";
        let Some(family) = self.family else { return };
        let Family {
            name,
            metric_type,
            help,
        } = family;
        let (word, suffix) = match metric_type {
            MetricType::Gauge => ("gauge", ""),
            MetricType::Counter => ("counter", "_total"),
        };
        let head = format!("# TYPE {name} {word}\n");
        if !self.lines.contains(&head) {
            writeln!(self.lines, "{head}# HELP {name} {help}").expect(NEVER_FAILS);
        }
        write!(self.lines, "{name}{suffix}").expect(NEVER_FAILS);
        for (i, (label, text)) in labels.iter().enumerate() {
            let open = if i == 0 { '{' } else { ',' };
            write!(self.lines, "{open}{label}=\"{}\"", escaped(text)).expect(NEVER_FAILS);
        }
        let close = if labels.is_empty() { "" } else { "}" };
        writeln!(self.lines, "{close} {value}").expect(NEVER_FAILS);
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        self.lines.push_str("# EOF\n");
        self.lines
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_one_head_and_labels_are_escaped() {
        let mut text = Text::default();
        let jobs = text.family(Family::gauge("jobs", "Jobs."));
        jobs.value(&[("state", "done")], 2.0);
        jobs.value(&[("state", "a\"b\\\n")], 0.5);
        text.family(Family::gauge("empty", "Nothing."));
        text.family(Family::counter("retries", "Retries."))
            .value(&[], 1e9);
        assert_eq!(
            text.finish(),
            "# TYPE jobs gauge\n# HELP jobs Jobs.\njobs{state=\"done\"} 2\njobs{state=\"a\\\"b\\\\\\n\"} 0.5\n\
             # TYPE retries counter\n# HELP retries Retries.\nretries_total 1000000000\n# EOF\n"
        );
    }
}
