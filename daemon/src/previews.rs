//! What jobs' videos look like: in `work/<job>/`, where a worker writes it, and in `previews/`, where it stays when the
//! job has ended.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use framepack_ipc::preview::{MAX_PREVIEW_BYTES, Preview, PreviewRequest};

use crate::state_dir::Layout;

/// The previews of all jobs; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Previews {
    layout: Layout,
}

impl Previews {
    pub(crate) fn new(layout: Layout) -> Self {
        Self { layout }
    }

    /// The newest picture of this kind, if there is one. Reads files.
    pub(crate) fn read(&self, PreviewRequest { job, kind }: PreviewRequest) -> Option<Preview> {
        let now = self.layout.work(job).join(kind.file_name());
        let kept = self.layout.preview(job, kind);
        [now, kept].iter().find_map(|path| read(path).ok())
    }
}

fn read(path: &Path) -> io::Result<Preview> {
    let mut message = Vec::new();
    let mut file = File::open(path)?.take(MAX_PREVIEW_BYTES as u64);
    file.read_to_end(&mut message)?;
    serde_json::from_slice(&message).map_err(io::Error::from)
}
