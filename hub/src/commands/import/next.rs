//! What there is to do after an import: lines of the configuration, or the commands that get the rest.

use std::path::Path;

use framepack_bundle::{Bundle, Component};
use framepack_ipc::text::shell_quoted;

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

impl Next<'_> {
    /// Lines for people.
    pub(super) fn text(&self) -> String {
        let mut lines = self.search.gaps(self.from);
        let target = self.target.cloned().or_else(|| self.as_it_is());
        match target {
            Some(target) => lines.extend(self.of_bundle(&target)),
            None => lines.push(self.without_links()),
        }
        lines.join("\n")
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

    fn of_bundle(&self, target: &Target) -> Vec<String> {
        // As the user named it: `DIR` with the cache in `DIR/hub` is a bundle, too.
        let root = match self.target {
            None if is_ready(self.from, self.models()) => self.from,
            _ => target.root(),
        };
        let mut lines = Vec::new();
        if is_ready(root, self.models()) {
            let configuration = ready::configuration(root);
            lines.push(format!("In the daemon's configuration:\n{configuration}"));
        }
        let lacking = ready::lacking(root, self.models().models());
        let of_all = lacking.iter().filter(|it| it.component.is_none());
        lines.extend(of_all.map(|it| it.message.clone()));
        let mut parts: Vec<Component> = lacking.iter().filter_map(|it| it.component).collect();
        parts.dedup();
        if !parts.is_empty() {
            let selection = match Selection::of(&parts, &[]) {
                // Shared parts come with the model that was found.
                Selection::Original => self.models(),
                selection => selection,
            };
            let command = advice::fetch(selection, target, self.environment);
            lines.push(format!("`{command}` gets the rest: {}", names(&parts)));
        }
        if self.target.is_none() && self.has_more_than(root) {
            lines.push(self.without_links());
        }
        lines
    }

    /// Whether a whole part was found that a bundle lacks.
    fn has_more_than(&self, root: &Path) -> bool {
        let bundle = Bundle::open(root);
        let has = |part| bundle.as_ref().is_ok_and(|it| it.component(part).is_ok());
        let mut found = self.search.found.iter();
        found.any(|found| found.is_complete() && !has(found.component))
    }

    fn without_links(&self) -> String {
        let models = self.models();
        let complete = self.search.found.iter().filter(|found| found.is_complete());
        let complete: Vec<Component> = complete.map(|found| found.component).collect();
        let needed = models.repositories().into_iter();
        let needed = needed.flat_map(|repository| repository.components);
        let rest: Vec<Component> = needed.filter(|it| !complete.contains(it)).collect();
        let links = format!(
            "nothing was changed; `framepackctl models import {} --to DIR` would make a folder of links to what was found",
            shell_quoted(self.from)
        );
        if rest.is_empty() {
            return format!("{links}, which has all parts");
        }
        format!(
            "{links}, and `framepackctl models fetch {} --to DIR` would then get the rest: {}",
            models.as_str(),
            names(&rest)
        )
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
