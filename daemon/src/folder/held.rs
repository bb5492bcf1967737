//! Who wants to know which claimed files of jobs that have ended are not put away yet.

use std::mem;

use super::{claims::Claims, wake::HeldQuestion};

/// Questions that are answered once what has ended was to be put away.
#[derive(Debug, Default)]
pub(super) struct HeldQuestions(Vec<HeldQuestion>);

impl HeldQuestions {
    pub(super) fn add(&mut self, question: HeldQuestion) {
        self.0.push(question);
    }

    /// Answers all.
    pub(super) fn answer(&mut self, claims: &Claims) {
        for HeldQuestion { claims: ids, reply } in mem::take(&mut self.0) {
            // Before they have been gone through, any may be there.
            let is_held = |id: &String| !claims.is_recovered() || claims.kept(id).is_some();
            // The client may have hung up.
            let _ = reply.send(ids.into_iter().filter(is_held).collect());
        }
    }
}
