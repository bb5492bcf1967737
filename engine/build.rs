//! Compiles the C and C++ shims in `csrc/`.

use std::{env, path::PathBuf, process::Command};

fn main() {
    torch_shim();
    x264_shim();
    installed_layout();
}

/// Where `make install` puts libtorch, seen from the installed binary. In a checkout, `.cargo/config.toml` names
/// the folder.
fn installed_layout() {
    for library in ["torch/lib", "nvidia/cu13/lib"] {
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,$ORIGIN/../lib/framepack/{library}");
    }
}

/// The torch shims, against the libtorch that torch-sys found (its `LIBTORCH`).
fn torch_shim() {
    for source in [
        "shared.h",
        "torch_graph.cpp",
        "torch_graph.h",
        "torch_kernels.cpp",
        "torch_kernels.h",
        "torch_shim.cpp",
        "torch_shim.h",
    ] {
        println!("cargo:rerun-if-changed=csrc/{source}");
    }
    let lib =
        PathBuf::from(env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys says where libtorch is"));
    let torch = lib
        .parent()
        .expect("libtorch's libraries lie in its folder lib");
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .file("csrc/torch_graph.cpp")
        .file("csrc/torch_kernels.cpp")
        .file("csrc/torch_shim.cpp");
    let includes = [
        torch.join("include/torch/csrc/api/include"),
        torch.join("include"),
        // CUDA's headers, where torch's wheel has its own. Without them the shim has no CUDA graphs.
        torch.join("../nvidia/cu13/include"),
    ];
    for include in includes {
        // Not ours to fix: warnings inside libtorch's headers.
        build
            .flag("-isystem")
            .flag(include.to_str().expect("the path is UTF-8"));
    }
    build.compile("fp_torch_shim");
    println!("cargo:rustc-link-search=native={}", lib.display());
    println!("cargo:rustc-link-lib=torch_cpu");
    println!("cargo:rustc-link-lib=c10");
}

/// The shim on libx264, which is linked statically, so that the binary needs none at run time.
fn x264_shim() {
    println!("cargo:rerun-if-changed=csrc/x264_shim.c");
    println!("cargo:rerun-if-changed=csrc/x264_shim.h");
    let lib = x264_folder("libdir", "/usr/lib/x86_64-linux-gnu");
    let include = x264_folder("includedir", "/usr/include");
    for needed in [lib.join("libx264.a"), include.join("x264.h")] {
        assert!(
            needed.exists(),
            "{} is missing: install the development files of libx264 (Debian, Ubuntu: apt-get install libx264-dev)",
            needed.display()
        );
    }
    cc::Build::new()
        .file("csrc/x264_shim.c")
        .include(include)
        .warnings_into_errors(true)
        .compile("fp_x264_shim");
    println!("cargo:rustc-link-search=native={}", lib.display());
    println!("cargo:rustc-link-lib=static=x264");
    for library in ["m", "dl", "pthread"] {
        println!("cargo:rustc-link-lib={library}");
    }
}

/// A folder of libx264 as `pkg-config` knows it, or where Debian has it.
fn x264_folder(variable: &str, default: &str) -> PathBuf {
    let query = Command::new("pkg-config")
        .args([&format!("--variable={variable}"), "x264"])
        .output();
    let answer = query.ok().filter(|output| output.status.success());
    let folder = answer.and_then(|output| String::from_utf8(output.stdout).ok());
    match folder.as_deref().map(str::trim) {
        None | Some("") => PathBuf::from(default),
        Some(folder) => PathBuf::from(folder),
    }
}
