//! What a page of the documents has that a program can check: fenced blocks, code in the text, links, headings.

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of its first fence, from 1.
    pub(crate) line: usize,
    /// The first word behind the fence; empty where there is none.
    pub(crate) language: String,
    /// The rest of that line, as in `no-run: needs a GPU`.
    pub(crate) note: String,
    pub(crate) text: String,
}

impl Block {
    /// Why a test can't run it.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.note.strip_prefix("no-run: ").map(str::trim)
    }
}

/// A page, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) blocks: Vec<Block>,
    /// Lines outside of blocks, with their numbers.
    pub(crate) prose: Vec<(usize, String)>,
}

impl Page {
    pub(crate) fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut open: Option<Block> = None;
        for (line, written) in (1..).zip(text.lines()) {
            match (open.as_mut(), written.trim_start().strip_prefix("```")) {
                (None, Some(info)) => {
                    let (language, note) = info.split_once(' ').unwrap_or((info, ""));
                    open = Some(Block {
                        line,
                        language: language.to_owned(),
                        note: note.to_owned(),
                        text: String::new(),
                    });
                }
                (Some(_), Some("")) => page.blocks.extend(open.take()),
                (Some(block), _) => {
                    block.text.push_str(written);
                    block.text.push('\n');
                }
                (None, None) => page.prose.push((line, written.to_owned())),
            }
        }
        assert!(open.is_none(), "a block is not closed: {open:?}");
        page
    }

    /// Code between single backticks, each on one line.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (usize, &str)> {
        self.prose.iter().flat_map(|(line, text)| {
            let spans = text.split('`').skip(1).step_by(2);
            spans.map(|span| (*line, span))
        })
    }

    /// Targets of links.
    pub(crate) fn links(&self) -> impl Iterator<Item = (usize, &str)> {
        self.prose.iter().flat_map(|(line, text)| {
            let targets = text.split("](").skip(1);
            targets.filter_map(|rest| Some((*line, rest.split_once(')')?.0)))
        })
    }

    /// What links to headings name them by.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let headings = self.prose.iter().filter(|(_, text)| text.starts_with('#'));
        headings.map(|(_, text)| anchor(text)).collect()
    }
}

fn anchor(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = title.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    kept.collect()
}

#[test]
fn blocks_spans_links_and_headings_are_found() {
    let text = "# A `b`, c\nrun `x --y` or [this](Z.md#a-b-c)\n```sh no-run: needs a GPU\nx\n  y\n```\n```yaml\na: `1`\n```\n";
    let page = Page::read(text);
    let [shell, yaml] = page.blocks.as_slice() else {
        panic!("{:?}", page.blocks);
    };
    assert_eq!((shell.line, shell.text.as_str()), (3, "x\n  y\n"));
    assert_eq!(shell.reason(), Some("needs a GPU"));
    assert_eq!((yaml.language.as_str(), yaml.reason()), ("yaml", None));
    assert_eq!(page.spans().collect::<Vec<_>>(), [(1, "b"), (2, "x --y")]);
    assert_eq!(page.links().collect::<Vec<_>>(), [(2, "Z.md#a-b-c")]);
    assert_eq!(page.anchors(), ["a-b-c"]);
}

#[test]
#[should_panic(expected = "a block is not closed")]
fn a_block_that_is_not_closed_is_a_mistake() {
    Page::read("```sh\nx\n");
}
