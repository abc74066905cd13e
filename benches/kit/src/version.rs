//! Which version of what is measured: read from `Cargo.lock` and the compiler when the kit is built, never typed.

/// Such as `std, rustc 1.95.0`.
pub const STD: &str = concat!("std, rustc ", env!("KIT_RUSTC"));

/// Contestant, what it depends on, version.
const TABLE: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/versions.rs"));

/// `name` and the version that `contestant` is built with, such as `tokio 1.54.1`; see [`crate::version!`].
#[must_use]
pub fn of(contestant: &str, name: &str) -> String {
    let found = TABLE.iter().find(|(package, dependency, _)| *package == contestant && *dependency == name);
    let version = found.map_or("of unknown version", |(_, _, version)| version);
    format!("{name} {version}")
}

/// The name and version of a dependency of the calling package: `kit::version!("tokio")` gives `tokio 1.54.1`.
#[macro_export]
macro_rules! version {
    ($name:literal) => {
        $crate::version::of(env!("CARGO_PKG_NAME"), $name)
    };
}
