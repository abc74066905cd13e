//! A pipeline of generators: each stage runs only as far as the one behind it asks.
//!
//! The first stage walks a tree by plain recursion and yields from the middle of it, which an iterator written by hand
//! would need a stack of its own for.

use coro::{Generator, Yielder};
use std::cell::Cell;
use std::rc::Rc;

enum Entry {
    File(&'static str, &'static str),
    Folder(&'static str, Vec<Entry>),
}

fn main() {
    let tree = Entry::Folder(
        "project",
        vec![
            Entry::File("readme", "three little words"),
            Entry::Folder("src", vec![Entry::File("main", "fn main"), Entry::File("lib", "mod a mod b")]),
            Entry::File("licence", "never looked at"),
        ],
    );
    let opened = Rc::new(Cell::new(0));
    let counter = Rc::clone(&opened);
    let files = Generator::<(String, &'static str)>::new(move |y| walk(y, &tree, "", &counter));
    let words = Generator::<String>::new(|y| {
        for (path, text) in files {
            for word in text.split(' ') {
                y.yield_(format!("{path}: {word}"));
            }
        }
    });
    let found: Vec<_> = words.filter(|line| line.ends_with('n') || line.ends_with('b')).take(3).collect();
    for line in &found {
        println!("{line}");
    }
    assert_eq!(found, ["/project/src/main: fn", "/project/src/main: main", "/project/src/lib: b"]);
    assert_eq!(opened.get(), 3, "the last file was never opened");
}

fn walk(y: &Yielder<(String, &'static str), ()>, entry: &Entry, above: &str, opened: &Cell<u32>) {
    match entry {
        Entry::File(name, text) => {
            opened.set(opened.get() + 1);
            y.yield_((format!("{above}/{name}"), text));
        }
        Entry::Folder(name, entries) => {
            for entry in entries {
                walk(y, entry, &format!("{above}/{name}"), opened);
            }
        }
    }
}
