//! The root of the crate stays small enough to be read at a glance.

#[test]
fn the_root_has_at_most_sixteen_types() {
    let root = include_str!("../src/lib.rs");
    let exports = root.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let types: Vec<&str> = exports
        .flat_map(|export| export.split(|c: char| !(c.is_alphanumeric() || c == '_')))
        .filter(|name| name.starts_with(char::is_uppercase))
        .collect();
    assert!((1..=16).contains(&types.len()), "{} types at the root: {types:?}", types.len());
}
