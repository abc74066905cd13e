//! Fills the skeletons that `cargo xtask compare new` writes, so that the bin `skeleton` proves that they compile and run.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let home = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["model.rs", "workload.rs"] {
        let template = home.join("../crates/compare/src/skeleton").join(format!("{name}.txt"));
        println!("cargo::rerun-if-changed={}", template.display());
        fs::write(out.join(name), includable(&filled(&template))).expect("OUT_DIR can be written");
    }
}

fn filled(template: &Path) -> String {
    let text = fs::read_to_string(template).unwrap_or_else(|error| panic!("{}: {error}", template.display()));
    text.replace("{{name}}", "skeleton").replace("{{Type}}", "Skeleton")
}

/// `include!` takes items alone: what belongs to a whole file stays behind.
fn includable(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("//!") && !line.starts_with("#![forbid"));
    lines.map(|line| format!("{line}\n")).collect()
}
