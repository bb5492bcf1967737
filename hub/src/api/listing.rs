//! What a repository has at its newest commit: files with sizes and hashes, and a licence.

use serde::Deserialize;
use ureq::http::{HeaderMap, header};
use url::Url;

use super::{
    client::Client,
    error::{ApiError, host},
};
use crate::{catalog::Repository, hash::HubHash, licence::Licence, output::count};

/// Of these, no repository has more.
const MAX_PAGES: usize = 100;
/// A petabyte: a repository with more is none.
const MAX_BYTES: u64 = 1 << 50;

/// A repository's needed files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) repository: Repository,
    /// Of all that is fetched.
    pub(crate) commit: String,
    pub(crate) licence: Licence,
    pub(crate) files: Vec<HubFile>,
}

/// A file on the Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HubFile {
    /// In its repository.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) hash: HubHash,
}

#[derive(Deserialize)]
struct Info {
    sha: String,
    #[serde(default, rename = "cardData")]
    card: Option<Card>,
}

#[derive(Deserialize)]
struct Card {
    license: Option<serde_json::Value>,
    license_name: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    oid: String,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    oid: String,
    size: u64,
}

impl Listing {
    /// Asks the Hub.
    pub(crate) fn of(client: &Client, repository: Repository) -> Result<Self, ApiError> {
        let name = repository.name;
        let url = client.url(&["api/models", name, "revision", "main"]);
        let what = format!("repository {name}");
        let (text, _) = client.text(&url, &what)?;
        let unexpected = |said: String| ApiError::Unexpected {
            what: what.clone(),
            host: host(&url),
            said,
        };
        let info: Info =
            serde_json::from_str(&text).map_err(|error| unexpected(error.to_string()))?;
        if !matches!(HubHash::parse(&info.sha), Some(HubHash::GitBlob(_))) {
            return Err(unexpected(format!("{:?} as its commit", info.sha)));
        }
        let entries = entries(client, name, &info.sha, &what)?;
        let paths: Vec<&str> = entries.iter().map(|entry| &*entry.path).collect();
        let needed = repository.needed(&paths);
        if let Some(lacking) = repository.lacking(&needed).first() {
            return Err(ApiError::NotFound {
                what: format!("{} in {name}", lacking.folder()),
                host: host(&url),
                said: format!(
                    "commit {} has {}",
                    info.sha,
                    count(entries.len() as u64, "file")
                ),
            });
        }
        let files = entries
            .iter()
            .filter(|entry| needed.contains(&&*entry.path));
        let files: Option<Vec<_>> = files.map(Entry::file).collect();
        let files = files.ok_or_else(|| unexpected("a file without hash".to_owned()))?;
        if !has_sane_sizes(&files) {
            return Err(unexpected("files that no disk has room for".to_owned()));
        }
        Ok(Self {
            licence: Licence::known(name).or_by_card(info.card.and_then(Card::licence)),
            files,
            commit: info.sha,
            repository,
        })
    }

    /// The bytes of all its files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Whether sums of all sizes are numbers, also over several repositories.
fn has_sane_sizes(files: &[HubFile]) -> bool {
    let mut sizes = files.iter().map(|file| file.bytes);
    let sum = sizes.try_fold(0_u64, u64::checked_add);
    sum.is_some_and(|sum| sum < MAX_BYTES)
}

/// All files of a repository, page by page.
fn entries(client: &Client, name: &str, commit: &str, what: &str) -> Result<Vec<Entry>, ApiError> {
    let mut url = client.url(&["api/models", name, "tree", commit]);
    url.set_query(Some("recursive=true"));
    let mut entries = Vec::new();
    let unexpected = |url: &Url, said: String| ApiError::Unexpected {
        what: what.to_owned(),
        host: host(url),
        said,
    };
    for _ in 0..MAX_PAGES {
        let (text, headers) = client.text(&url, what)?;
        let page = serde_json::from_str(&text);
        let page: Vec<Entry> = page.map_err(|error| unexpected(&url, error.to_string()))?;
        entries.extend(page.into_iter().filter(|entry| entry.kind == "file"));
        match next(&headers).and_then(|next| url.join(&next).ok()) {
            Some(next) => url = next,
            None => return Ok(entries),
        }
    }
    let said = format!("a listing of more than {MAX_PAGES} pages");
    Err(unexpected(&url, said))
}

/// The address of the next page: `Link: <https://…>; rel="next"`.
fn next(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(header::LINK)?.to_str().ok()?;
    let mut links = link.split(',');
    let next = links.find(|link| link.contains("rel=\"next\""))?;
    let (_, address) = next.split_once('<')?;
    let (address, _) = address.split_once('>')?;
    Some(address.to_owned())
}

impl Entry {
    fn file(&self) -> Option<HubFile> {
        let (hash, bytes) = match &self.lfs {
            Some(lfs) => (
                lfs.oid.strip_prefix("sha256:").unwrap_or(&lfs.oid),
                lfs.size,
            ),
            None => (&*self.oid, self.size),
        };
        Some(HubFile {
            path: self.path.clone(),
            bytes,
            hash: HubHash::parse(hash)?,
        })
    }
}

impl Card {
    /// `other` has its name elsewhere.
    fn licence(self) -> Option<String> {
        let said = self.license.as_ref().and_then(serde_json::Value::as_str);
        self.license_name.or_else(|| said.map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_page_is_the_link_of_that_name() {
        let mut headers = HeaderMap::new();
        assert_eq!(next(&headers), None);
        let link = r#"<https://h/a?cursor=x>; rel="next", <https://h/b>; rel="last""#;
        headers.insert(header::LINK, link.parse().unwrap());
        let found = next(&headers).unwrap();
        assert_eq!(found, "https://h/a?cursor=x");
    }

    #[test]
    fn sizes_that_no_disk_has_are_not_added_up() {
        let files = |sizes: &[u64]| -> Vec<HubFile> {
            let file = |bytes: &u64| HubFile {
                path: "a".into(),
                bytes: *bytes,
                hash: HubHash::Sha256("0".repeat(64)),
            };
            sizes.iter().map(file).collect()
        };
        assert!(has_sane_sizes(&files(&[1 << 40, 1 << 40])));
        assert!(!has_sane_sizes(&files(&[MAX_BYTES])));
        assert!(!has_sane_sizes(&files(&[u64::MAX, 2])));
    }

    #[test]
    fn hash_is_that_of_lfs_or_of_the_blob() {
        let entry: Entry = serde_json::from_value(serde_json::json!({
            "type": "file", "path": "a", "size": 9, "oid": "0".repeat(40),
            "lfs": {"oid": "1".repeat(64), "size": 77, "pointerSize": 134},
        }))
        .unwrap();
        let file = entry.file().unwrap();
        assert_eq!(
            (file.bytes, file.hash),
            (77, HubHash::Sha256("1".repeat(64)))
        );
        let plain = Entry { lfs: None, ..entry };
        assert_eq!(plain.file().unwrap().hash, HubHash::GitBlob("0".repeat(40)));
        assert!(
            Entry {
                oid: "../x".into(),
                ..plain
            }
            .file()
            .is_none()
        );
    }
}
