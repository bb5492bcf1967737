//! What there is to do after an import: lines of the configuration, or the commands that get the rest.

use std::path::Path;

use framepack_bundle::{Bundle, Component};
use framepack_ipc::text::shell_quoted;
use serde::Serialize;

use super::find::Search;
use crate::{
    catalog::Selection,
    commands::{advice, ready},
    environment::Environment,
    target::Target,
};

/// What was found, and where links to it were made.
pub(super) struct Next<'a> {
    pub(super) from: &'a Path,
    pub(super) search: &'a Search,
    pub(super) target: Option<&'a Target>,
    pub(super) environment: &'a Environment,
}

/// What to do then.
#[derive(Debug, Default, Serialize)]
pub(super) struct Steps {
    /// For people.
    #[serde(skip)]
    pub(super) lines: Vec<String>,
    /// The lines of the daemon's configuration, if jobs can be rendered.
    configuration: Option<String>,
    /// Commands that get the rest, or make links; with `DIR` for a folder of the user's choice.
    commands: Vec<String>,
}

impl Next<'_> {
    pub(super) fn steps(&self) -> Steps {
        let mut steps = Steps::default();
        match self.target.cloned().or_else(|| self.as_it_is()) {
            Some(target) => self.of_bundle(&target, &mut steps),
            None => self.without_links(&mut steps),
        }
        steps
    }

    /// The models of which a transformer was found.
    fn models(&self) -> Selection {
        let found = self.search.found.iter().map(|found| found.component);
        Selection::of(&found.collect::<Vec<_>>(), &[])
    }

    /// The folder itself, where jobs of one of the models could be rendered with it.
    fn as_it_is(&self) -> Option<Target> {
        let mut roots = [self.from.to_owned(), self.from.join("hub")].into_iter();
        let root = roots.find(|root| is_ready(root, self.models()))?;
        Target::of(Some(root), self.environment).ok()
    }

    fn of_bundle(&self, target: &Target, steps: &mut Steps) {
        // As the user named it: `DIR` with the cache in `DIR/hub` is a bundle, too.
        let root = match self.target {
            None if is_ready(self.from, self.models()) => self.from,
            _ => target.root(),
        };
        if is_ready(root, self.models()) {
            let configuration = ready::configuration(root);
            let line = format!("In the daemon's configuration:\n{configuration}");
            steps.lines.push(line);
            steps.configuration = Some(configuration);
        }
        let lacking = ready::lacking(root, self.models().models());
        let of_all = lacking.iter().filter(|it| it.component.is_none());
        steps.lines.extend(of_all.map(|it| it.message.clone()));
        let mut parts: Vec<Component> = lacking.iter().filter_map(|it| it.component).collect();
        parts.dedup();
        if !parts.is_empty() {
            let selection = match Selection::of(&parts, &[]) {
                // Shared parts come with the model that was found.
                Selection::Original => self.models(),
                selection => selection,
            };
            let command = advice::fetch(selection, target, self.environment);
            let line = format!("`{command}` gets the rest: {}", names(&parts));
            steps.lines.push(line);
            steps.commands.push(command);
        }
        if self.target.is_none() && self.has_more_than(root) {
            self.without_links(steps);
        }
    }

    /// Whether a whole part was found that a bundle lacks.
    fn has_more_than(&self, root: &Path) -> bool {
        let bundle = Bundle::open(root);
        let has = |part| bundle.as_ref().is_ok_and(|it| it.component(part).is_ok());
        let mut found = self.search.found.iter();
        found.any(|found| found.is_complete() && !has(found.component))
    }

    fn without_links(&self, steps: &mut Steps) {
        let models = self.models();
        let complete = self.search.found.iter().filter(|found| found.is_complete());
        let complete: Vec<Component> = complete.map(|found| found.component).collect();
        let needed = models.repositories().into_iter();
        let needed = needed.flat_map(|repository| repository.components);
        let rest: Vec<Component> = needed.filter(|it| !complete.contains(it)).collect();
        let from = shell_quoted(self.from);
        let import = format!("framepackctl models import {from} --to DIR");
        let links = format!(
            "nothing was changed; `{import}` would make a folder of links to what was found"
        );
        steps.commands.push(import);
        if rest.is_empty() {
            steps.lines.push(format!("{links}, which has all parts"));
            return;
        }
        let fetch = format!("framepackctl models fetch {} --to DIR", models.as_str());
        steps.lines.push(format!(
            "{links}, and `{fetch}` would then get the rest: {}",
            names(&rest)
        ));
        steps.commands.push(fetch);
    }
}

/// Whether jobs of one of the models could be rendered with a bundle.
fn is_ready(root: &Path, models: Selection) -> bool {
    let mut models = models.models().iter();
    models.any(|model| ready::lacking(root, &[*model]).is_empty())
}

fn names(parts: &[Component]) -> String {
    let names: Vec<_> = parts.iter().map(|part| part.folder()).collect();
    names.join(", ")
}
