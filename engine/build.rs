//! Compiles the C and C++ shims in `csrc/`.

use std::{env, path::PathBuf};

fn main() {
    torch_shim();
}

/// The torch shim, against the libtorch that torch-sys found (its `LIBTORCH`).
fn torch_shim() {
    println!("cargo:rerun-if-changed=csrc/torch_shim.cpp");
    println!("cargo:rerun-if-changed=csrc/torch_shim.h");
    let lib =
        PathBuf::from(env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys says where libtorch is"));
    let include = lib
        .parent()
        .expect("libtorch's libraries lie in its folder lib")
        .join("include");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .file("csrc/torch_shim.cpp")
        // Not ours to fix: warnings inside libtorch's headers.
        .flag("-isystem")
        .flag(
            include
                .join("torch/csrc/api/include")
                .to_str()
                .expect("the path is UTF-8"),
        )
        .flag("-isystem")
        .flag(include.to_str().expect("the path is UTF-8"))
        .compile("fp_torch_shim");
    println!("cargo:rustc-link-search=native={}", lib.display());
    println!("cargo:rustc-link-lib=torch_cpu");
    println!("cargo:rustc-link-lib=c10");
}
