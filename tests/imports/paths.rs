//! The paths in a module's items, as they are written.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{
    Attribute, Item, UseTree,
    visit::{self, Visit},
};

/// A path in a module.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// In a `use`, by that name.
    Use { name: String },
    /// In a `use` of all that a module has.
    Glob,
    /// Anywhere else.
    Mention,
}

/// What a module's items say.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) paths: Vec<Found>,
    /// Names of functions, types and values that are defined here.
    pub(crate) names: BTreeSet<String>,
    /// All words, and those that are methods which are called or come last in a path, each with the line where it comes
    /// first.
    pub(crate) words: BTreeMap<String, usize>,
    pub(crate) calls: BTreeMap<String, usize>,
    pub(crate) modules: Vec<syn::ItemMod>,
}

pub(crate) fn read_items(items: &[Item]) -> Read {
    let mut read = Read::default();
    for item in items {
        read.names.extend(name_of(item));
        read.visit_item(item);
    }
    read
}

impl Read {
    fn mention(&mut self, segments: Vec<String>, span: Span) {
        // A name alone is none of another module.
        if segments.len() > 1 {
            self.paths.push(Found {
                segments,
                line: span.start().line,
                kind: Kind::Mention,
            });
        }
    }

    fn word(&mut self, word: &syn::Ident) {
        let line = word.span().start().line;
        self.words.entry(word.to_string()).or_insert(line);
    }

    fn call(&mut self, method: &syn::Ident) {
        let line = method.span().start().line;
        self.calls.entry(method.to_string()).or_insert(line);
    }

    fn use_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (segments, span, kind) = match tree {
            UseTree::Path(path) => return self.use_tree(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, before);
                }
                return;
            }
            UseTree::Name(name) if name.ident == "self" => {
                let module = before.last().cloned().unwrap_or_default();
                (
                    before.to_vec(),
                    name.ident.span(),
                    Kind::Use { name: module },
                )
            }
            UseTree::Name(name) => {
                self.word(&name.ident);
                let called = name.ident.to_string();
                (
                    with(&name.ident),
                    name.ident.span(),
                    Kind::Use { name: called },
                )
            }
            UseTree::Rename(rename) => {
                self.word(&rename.ident);
                let name = rename.rename.to_string();
                (with(&rename.ident), rename.ident.span(), Kind::Use { name })
            }
            UseTree::Glob(glob) => (before.to_vec(), glob.star_token.spans[0], Kind::Glob),
        };
        let line = span.start().line;
        self.paths.push(Found {
            segments,
            line,
            kind,
        });
    }

    /// Paths among tokens that are not parsed: names with `::` between them.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut start = Span::call_site();
        // Colons since the last name; a dot before a name makes it a field or method.
        let (mut colons, mut dot) = (0, false);
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 && !path.is_empty() => {
                    self.word(&name);
                    self.call(&name);
                    path.push(name.to_string());
                }
                TokenTree::Ident(name) => {
                    self.word(&name);
                    if dot || colons == 2 {
                        self.call(&name);
                    }
                    self.mention(std::mem::take(&mut path), start);
                    start = name.span();
                    if colons != 2 && !dot {
                        path = vec![name.to_string()];
                    }
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Punct(mark) => {
                    self.mention(std::mem::take(&mut path), start);
                    (colons, dot) = (0, mark.as_char() == '.');
                    continue;
                }
                TokenTree::Group(group) => {
                    self.mention(std::mem::take(&mut path), start);
                    self.tokens(group.stream());
                }
                TokenTree::Literal(_) => self.mention(std::mem::take(&mut path), start),
            }
            (colons, dot) = (0, false);
        }
        self.mention(path, start);
    }
}

impl<'ast> Visit<'ast> for Read {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !function.attrs.iter().any(for_tests) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_ident(&mut self, word: &'ast syn::Ident) {
        self.word(word);
    }

    fn visit_expr_method_call(&mut self, called: &'ast syn::ExprMethodCall) {
        self.call(&called.method);
        visit::visit_expr_method_call(self, called);
    }

    /// `Type::method(x)`, `<Type>::method(x)`, and the method passed on as a value.
    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        if let Some(last) = path.path.segments.last()
            && (path.path.segments.len() > 1 || path.qself.is_some())
        {
            self.call(&last.ident);
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.modules.push(module.clone());
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.use_tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none()
            && let Some(first) = path.segments.first()
        {
            let segments = path.segments.iter().map(|part| part.ident.to_string());
            self.mention(segments.collect(), first.ident.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        self.visit_path(&invoked.path);
        self.tokens(invoked.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
            for token in list.tokens.clone() {
                let TokenTree::Literal(text) = token else {
                    continue;
                };
                let parsed = syn::parse_str::<syn::LitStr>(&text.to_string())
                    .and_then(|text| text.parse::<syn::Path>());
                if let Ok(path) = parsed {
                    let segments = path.segments.iter().map(|part| part.ident.to_string());
                    self.mention(segments.collect(), text.span());
                }
            }
        }
    }

    /// `pub(in …)` says who may import, and imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// `#[test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn for_tests(attribute: &Attribute) -> bool {
    if attribute.path().is_ident("test") {
        return true;
    }
    let syn::Meta::List(list) = &attribute.meta else {
        return false;
    };
    let mut said = Vec::new();
    words(list.tokens.clone(), &mut said);
    let says = |word: &str| said.iter().any(|said| said == word);
    attribute.path().is_ident("cfg") && says("test") && !says("not")
}

fn words(tokens: TokenStream, said: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => said.push(word.to_string()),
            TokenTree::Group(group) => words(group.stream(), said),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}
