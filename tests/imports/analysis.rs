//! The analysis itself, on crates of a few lines.

use crate::{
    Sources,
    circles::{Circle, Graph},
    rooms,
};

fn graph(files: &[(&str, &str)]) -> Graph {
    let pairs = files
        .iter()
        .map(|&(name, text)| (name.to_owned(), text.to_owned()));
    Graph::of(&pairs.collect::<Sources>(), "tiny")
}

fn files(files: &[(&str, &str)]) -> Vec<String> {
    members(&graph(files).circles_of_files())
}

fn folders(files: &[(&str, &str)]) -> Vec<String> {
    members(&graph(files).circles_of_folders())
}

fn members(circles: &[Circle]) -> Vec<String> {
    let joined = circles
        .iter()
        .map(|circle| circle.members.iter().cloned().collect::<Vec<_>>().join(" "));
    joined.collect()
}

#[test]
fn circle_is_told_with_a_place_for_each_import() {
    let graph = graph(&[
        ("lib.rs", "mod a; mod b; mod c; use a::A;"),
        ("a.rs", "pub struct A;\nuse crate::b::B;"),
        ("b.rs", "pub struct B(super::c::C);"),
        ("c.rs", "pub struct C;\n\nfn f() { let _ = crate::a::A; }"),
    ]);
    let circles = graph.circles_of_files();
    assert_eq!(members(&circles), ["a.rs b.rs c.rs"]);
    let told = circles[0].to_string();
    for import in [
        "imports b.rs  (a.rs:2: crate::b::B)",
        "imports c.rs  (b.rs:1: super::c::C)",
        "imports a.rs  (c.rs:3: crate::a::A)",
    ] {
        assert!(told.contains(import), "{told}");
    }
}

#[test]
fn declarations_docs_and_one_way_imports_make_no_circle() {
    let tiny = [
        ("lib.rs", "mod a; mod b; pub use a::A;"),
        ("a.rs", "/// See [`crate::A`].\npub struct A(crate::b::B);"),
        ("b.rs", "pub(in crate::a) struct B;"),
    ];
    assert_eq!(files(&tiny), [""; 0]);
    assert_eq!(folders(&tiny), [""; 0]);
}

#[test]
fn re_export_is_imported_from_the_file_that_re_exports() {
    let tiny = [
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "mod a; mod b; pub use self::{a::A, b::B};"),
        ("room/a.rs", "pub struct A;"),
        ("room/b.rs", "pub struct B(super::A);"),
    ];
    assert_eq!(files(&tiny), ["room/b.rs room/mod.rs"]);
}

#[test]
fn tests_are_left_out() {
    let tiny = [
        (
            "lib.rs",
            "mod a; #[cfg(test)] mod tests; use a::A; struct L;",
        ),
        (
            "a.rs",
            "pub struct A; #[cfg(test)] mod tests { use crate::L; } #[cfg(test)] use crate::L; \
             impl A { #[cfg(test)] fn f() { crate::l() } }",
        ),
        ("tests.rs", "use crate::{a::A, L};"),
    ];
    assert_eq!(files(&tiny), [""; 0]);
}

#[test]
fn paths_of_all_kinds_are_seen() {
    for path in [
        "use crate::{x::y, b::{self}};",
        "use super::b as c;",
        "use super::b::*;",
        "fn f() { super::b::g() }",
        "fn f() { use crate::b::g; g() }",
        "fn f() { println!(\"{}\", field.b(crate::b::g())) }",
        "fn f() { m!(key: crate::b::B) }",
        "impl crate::b::T for A {}",
        "use tiny::b::B;",
        "use crate::b; fn f() { let _ = b::B; }",
        "struct S { #[serde(with = \"crate::b\")] a: u8, #[serde(default = \"super::b::g\")] b: u8 }",
        "mod inner { fn f() { super::super::b::g() } }",
    ] {
        let tiny = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", path),
            ("b.rs", "use crate::a::A;"),
        ];
        let seen = files(&tiny);
        assert_eq!(seen, ["a.rs b.rs"], "{path}");
    }
}

#[test]
fn names_of_other_crates_and_members_are_no_imports() {
    for path in [
        "use ::b::B;",
        "use serde::b::B;",
        "fn f() { m!(::b::B) }",
        "fn f() { x.b::<u8>() }",
    ] {
        let tiny = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", path),
            ("b.rs", "use crate::a::A;"),
        ];
        assert_eq!(files(&tiny), [""; 0], "{path}");
    }
}

#[test]
fn function_beside_a_module_of_the_same_name_is_imported_from_where_it_is_defined() {
    let tiny = [
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "mod plan; mod a; use a::A; fn plan() {}"),
        ("room/plan.rs", ""),
        ("room/a.rs", "pub struct A; fn f() { super::plan() }"),
    ];
    assert_eq!(files(&tiny), ["room/a.rs room/mod.rs"]);
}

#[test]
fn folders_are_one_thing_however_deep_the_files_are() {
    let tiny = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod x; mod deep;"),
        ("a/x.rs", "use crate::b::y::Y;"),
        ("a/deep/mod.rs", "mod z;"),
        ("a/deep/z.rs", ""),
        ("b/mod.rs", "mod y; mod w;"),
        ("b/y.rs", ""),
        ("b/w.rs", "use crate::a::deep::z::Z;"),
    ];
    assert_eq!(files(&tiny), [""; 0]);
    assert_eq!(folders(&tiny), ["a/ b/"]);
}

#[test]
fn folder_and_a_file_beside_it_are_no_circle() {
    let tiny = |x: &'static str| {
        [
            ("lib.rs", "mod a;"),
            (
                "a/mod.rs",
                "mod x; mod y; mod deep; pub use self::deep::z::Z;",
            ),
            ("a/x.rs", x),
            ("a/y.rs", ""),
            ("a/deep/mod.rs", "mod z;"),
            ("a/deep/z.rs", "use crate::a::{x::X, y::Y};"),
        ]
    };
    assert_eq!(folders(&tiny("")), [""; 0]);
    assert_eq!(folders(&tiny("use super::deep::Z;")), ["a/deep/ a/x.rs"]);
}

#[test]
fn file_beside_its_folder_belongs_to_it() {
    let tiny = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "mod x; use crate::b::B;"),
        ("a/x.rs", ""),
        ("b.rs", "use crate::a::x::X;"),
    ];
    assert_eq!(folders(&tiny), ["a/ b.rs"]);
}

#[test]
fn graph_of_rooms_has_each_below_those_that_import_it() {
    let graph = graph(&[
        ("lib.rs", "mod a; mod b; mod c; mod d; use d::D;"),
        ("a/mod.rs", "mod x;"),
        ("a/x.rs", ""),
        ("b.rs", "mod y; use crate::{a::x::X, d::D};"),
        ("b/y.rs", "use crate::c::C;"),
        ("c.rs", "use crate::a::x::X;"),
        ("d.rs", "use crate::a::x::X;"),
    ]);
    let told = rooms::told(&graph.of_rooms());
    assert_eq!(told, "lib -> d\nb -> d c a\nd -> a\nc -> a\na");
}
