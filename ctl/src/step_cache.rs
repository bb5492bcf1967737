//! What a job's step cache did, as people read it.

use framepack_jobs::{Progress, SectionSteps, StepCacheUse};

/// ` (5 reused)`; nothing where every step of the section was computed.
pub(crate) fn reused_so_far(progress: &Progress) -> String {
    match progress.timeline.reused() {
        0 => String::new(),
        reused => format!(" ({reused} reused)"),
    }
}

/// The rule with its counts, and a line for each section: C a computed step, r one that reused something.
pub(crate) fn lines(cache: &StepCacheUse) -> Vec<String> {
    let StepCacheUse {
        rule,
        computed,
        reused,
        sections,
        given_up,
        ..
    } = cache;
    let total = computed + reused;
    let is_guided = sections.iter().any(|section| section.negative.is_some());
    let what = if is_guided { "evaluations" } else { "steps" };
    let mut lines = vec![format!(
        "{rule}: {reused} of {total} {what} reused what others computed"
    )];
    lines.extend(
        given_up
            .as_ref()
            .map(|reason| format!("from there on without it: {reason}")),
    );
    lines.extend(sections.iter().map(section));
    lines
}

fn section(steps: &SectionSteps) -> String {
    let SectionSteps {
        section,
        positive,
        negative,
    } = steps;
    match negative {
        None => format!("section {section}: {positive}"),
        Some(negative) => format!("section {section}: {positive}, negative prompt {negative}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_timelines_are_told() {
        let timeline = |text: &str| text.parse().unwrap_or_default();
        let cache = StepCacheUse {
            kind: "teacache".into(),
            rule: "teacache at 0.15".into(),
            computed: 5,
            reused: 3,
            sections: vec![
                SectionSteps {
                    section: 1,
                    positive: timeline("CCrC"),
                    negative: None,
                },
                SectionSteps {
                    section: 2,
                    positive: timeline("CrrC"),
                    negative: Some(timeline("CrCC")),
                },
            ],
            given_up: Some("no memory".into()),
        };
        assert_eq!(
            lines(&cache),
            [
                "teacache at 0.15: 3 of 8 evaluations reused what others computed",
                "from there on without it: no memory",
                "section 1: CCrC",
                "section 2: CrrC, negative prompt CrCC",
            ]
        );
    }
}
