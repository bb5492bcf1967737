//! What lies in the place of files.

use std::os::unix::fs::symlink;

use super::*;

const POINTER: &str =
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 24981250048\n";

fn code(kind: Option<Kind>) -> Option<Code> {
    let path = PathBuf::new();
    Some(StandIn { path, kind: kind? }.code())
}

#[test]
fn what_a_file_begins_with() {
    let weights = [&15_000u64.to_le_bytes()[..], b"{\"__metadata__\":{}}"].concat();
    for (name, head, expected) in [
        (
            "m.safetensors",
            POINTER.as_bytes(),
            Some(Code::MODEL_POINTER),
        ),
        ("config.json", POINTER.as_bytes(), Some(Code::MODEL_POINTER)),
        (
            "m.safetensors",
            b"/annex/objects/SHA256E-s1--ab.safetensors\n",
            Some(Code::MODEL_POINTER),
        ),
        (
            "m.safetensors",
            b"<!DOCTYPE html>\n<html>",
            Some(Code::MODEL_WEB_PAGE),
        ),
        (
            "config.json",
            b"\n  <html lang=\"en\">",
            Some(Code::MODEL_WEB_PAGE),
        ),
        (
            "config.json",
            b"<?xml version=\"1.0\"?><Error><Code>AccessDenied",
            Some(Code::MODEL_WEB_PAGE),
        ),
        (
            "config.json",
            b"{\"error\":\"Repository not found\"}",
            Some(Code::MODEL_WEB_PAGE),
        ),
        (
            "m.safetensors",
            b"Entry not found",
            Some(Code::MODEL_WEB_PAGE),
        ),
        (
            "config.json",
            b"Access to model x is restricted.",
            Some(Code::MODEL_WEB_PAGE),
        ),
        ("m.safetensors", &[0; 4096], Some(Code::MODEL_UNFINISHED)),
        ("config.json", &[0; 700], Some(Code::MODEL_UNFINISHED)),
        ("m.safetensors", &weights, None),
        ("config.json", b"{\n  \"hidden_size\": 64\n}", None),
        ("config.json", b"\xef\xbb\xbf{\"a\": 1}", None),
        ("config.json", b"{\"hidden_size\":", None),
        ("merges.txt", b"#version: 0.2\ni n\n", None),
    ] {
        let found = code(of_bytes(head, Form::of(Path::new(name))));
        assert_eq!(
            found,
            expected,
            "{name}: {:?}",
            String::from_utf8_lossy(head)
        );
    }
    let size = of_bytes(POINTER.as_bytes(), Form::Weights);
    assert_eq!(size, Some(Kind::LfsPointer(Some(24_981_250_048))));
}

#[test]
fn what_lies_beside_a_file_that_is_not_there() {
    for (beside, is_begun) in [
        ("m.safetensors.incomplete", true),
        ("m.safetensors.part", true),
        ("m.safetensors.crdownload", true),
        (".m.safetensors.x7Yz01", true),
        (
            ".cache/huggingface/download/m.safetensors.0f3a.incomplete",
            true,
        ),
        ("other.safetensors.part", false),
        ("m.safetensors.md5", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(beside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "x").unwrap();
        let expected = is_begun.then_some(Kind::Unfinished(path));
        let found = of(&folder.path().join("m.safetensors"));
        assert_eq!(found.map(|found| found.kind), expected, "{beside}");
    }
}

#[test]
fn a_file_of_full_length_is_unfinished_while_aria2_has_notes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    fs::write(&path, 8u64.to_le_bytes()).unwrap();
    assert_eq!(of(&path), None);
    // What another downloader left behind is no such note.
    fs::write(folder.path().join("m.safetensors.part"), "").unwrap();
    assert_eq!(of(&path), None);
    fs::write(folder.path().join("m.safetensors.aria2"), "").unwrap();
    assert_eq!(of(&path).unwrap().code(), Code::MODEL_UNFINISHED);
    fs::write(&path, "").unwrap();
    assert_eq!(of(&path).unwrap().kind, Kind::Empty);
}

#[test]
fn links_of_the_hubs_cache_and_of_git_annex() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let blob = folder.path().join("blobs/5f0a");
    fs::create_dir(folder.path().join("blobs")).unwrap();
    symlink("blobs/5f0a", &path).unwrap();
    let found = of(&path).unwrap();
    assert_eq!(found.code(), Code::MODEL_LINK);
    let says = "m.safetensors is a link to blobs/5f0a, which does not exist";
    assert!(found.to_string().ends_with(says), "{found}");
    fs::write(folder.path().join("blobs/5f0a.incomplete"), "x").unwrap();
    assert_eq!(of(&path).unwrap().code(), Code::MODEL_UNFINISHED);
    fs::write(blob, 8u64.to_le_bytes()).unwrap();
    assert_eq!(of(&path), None);
    fs::remove_file(&path).unwrap();
    symlink("../.git/annex/objects/f/1/SHA256E/k", &path).unwrap();
    assert_eq!(of(&path).unwrap().kind, Kind::AnnexPointer);
}
