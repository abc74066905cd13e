//! Read real files, hash them and count their words.

use super::{Needs, quick_only, scale};
use crate::random::Random;
use crate::{Capability, Model, Stage};
use compare::protocol::{Case, Input, Need, Profile, Workload};
use nix::unistd::{AccessFlags, access};
use sha2::{Digest, Sha256};
use std::fs::{self, File, FileType};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes.
pub const MIB: u64 = 1 << 20;

pub(super) const NEEDS: Needs = Needs { capabilities: &[Capability::Map], units: |_| 0 };

pub(super) fn about() -> Workload {
    Workload {
        place: 6,
        about: "walk a folder, read the first n MiB of its files, hash each and count its words, as many at a time as \
                there are workers"
            .into(),
        shows: "reading from the disk cache and computing together, over files of very different sizes: the everyday \
                batch job"
            .into(),
        verified: "the SHA-256 of salt and content and the number of words of each file, in path order, against a \
                   second reader that works one file after the other"
            .into(),
        unit: "MiB".into(),
        scales: vec![
            quick_only(scale("8MiB", 8, 8, Profile::Quick)),
            scale("64MiB", 64, 64, Profile::Default),
            scale("512MiB", 512, 512, Profile::Full),
        ],
        timeout_ms: 120_000,
        needs: vec![Need::Dir],
        ..Workload::default()
    }
}

pub(super) fn input(case: &Case) -> Result<Input, String> {
    let dir = case.dir.as_deref().ok_or("files needs a folder to read: name one with --input")?;
    if !Path::new(dir).is_dir() {
        return Err(format!("{dir} is not a folder: name one with --input"));
    }
    let salt = Random::new(case.seed, &case.workload).salt();
    Ok(Input { salt, texts: vec![dir.to_owned()], ..Input::default() })
}

pub(super) async fn run<M: Model>(model: &M, stage: &Stage) -> Vec<u64> {
    let (salt, n) = (stage.input.salt, stage.n);
    let dir = PathBuf::from(&stage.input.texts[0]);
    let mut walked = model.map(vec![dir], move |dir| walk(&dir, n * MIB)).await;
    let files = walked.pop().expect("one walk gives one list");
    model.map(files, move |path| digest_file(salt, &path)).await
}

/// The files below `dir`, depth first and by name, until their sizes add up to `goal_bytes`.
///
/// Symbolic links and special files are left out, and so is what cannot be opened.
#[must_use]
pub fn walk(dir: &Path, goal_bytes: u64) -> Vec<PathBuf> {
    let (mut files, mut total_bytes) = (Vec::new(), 0);
    // What is still to be visited, with the kind that its folder gave; the next one is last.
    let mut waiting: Vec<(PathBuf, FileType)> = inside(dir);
    while let Some((path, kind)) = waiting.pop() {
        if kind.is_dir() {
            waiting.append(&mut inside(&path));
        } else if kind.is_file() && access(&path, AccessFlags::R_OK).is_ok() {
            let Ok(size) = fs::symlink_metadata(&path).map(|metadata| metadata.len()) else { continue };
            files.push(path);
            total_bytes += size;
            if total_bytes >= goal_bytes {
                break;
            }
        }
    }
    files
}

/// What a folder holds, by the bytes of the name, last first: a stack turns it round. A folder that cannot be read holds
/// nothing.
fn inside(folder: &Path) -> Vec<(PathBuf, FileType)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> =
        entries.filter_map(|entry| Some((entry.path(), entry.file_type().ok()?))).collect();
    found.sort_unstable_by(|(a, _), (b, _)| b.file_name().cmp(&a.file_name()));
    found
}

/// One file's result.
///
/// # Panics
/// If the file cannot be read any more: it was there when the walk passed.
#[must_use]
pub fn digest_file(salt: u64, path: &Path) -> u64 {
    let content = fs::read(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    result(&Sha256::new().chain_update(salt.to_be_bytes()).chain_update(&content).finalize(), words(&content))
}

/// The number of maximal runs of bytes that are no white space, by one pass over the bytes.
fn words(content: &[u8]) -> u64 {
    let (mut count, mut within) = (0, false);
    for byte in content {
        let space = is_space(*byte);
        count += u64::from(!space && !within);
        within = !space;
    }
    count
}

/// White space as Python's `bytes.split` has it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn result(hash: &[u8], words: u64) -> u64 {
    let head = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    (u64::from(head) + words * 7) % (1 << 31)
}

/// The oracle's way: by recursion, reading in pieces, words by splitting.
pub(super) fn expected(input: &Input, n: u64) -> Vec<u64> {
    let mut results = Vec::new();
    let mut left_bytes = i128::from(n * MIB);
    read_below(Path::new(&input.texts[0]), input.salt, &mut left_bytes, &mut results);
    assert!(!results.is_empty(), "{} has no file that can be read: name another folder", input.texts[0]);
    results
}

fn read_below(dir: &Path, salt: u64, left_bytes: &mut i128, results: &mut Vec<u64>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut entries: Vec<fs::DirEntry> = entries.filter_map(Result::ok).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if *left_bytes <= 0 {
            return;
        }
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            read_below(&entry.path(), salt, left_bytes, results);
        } else if kind.is_file() {
            let Ok(mut file) = File::open(entry.path()) else { continue };
            let (mut salted, mut piece) = (salt.to_be_bytes().to_vec(), [0; 4096]);
            while let Ok(count @ 1..) = file.read(&mut piece) {
                salted.extend_from_slice(&piece[..count]);
            }
            let words = salted[8..].split(|byte| is_space(*byte)).filter(|word| !word.is_empty()).count();
            *left_bytes -= salted.len() as i128 - 8;
            results.push(result(&Sha256::digest(&salted), words as u64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `b` and its files come before `b.txt`, although `b.txt` sorts before `b/`.
    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in
            [("b/z", "one two"), ("b/a/deep", "three"), ("b.txt", ""), ("a", "four\n\nfive ")]
        {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        std::os::unix::fs::symlink("a", dir.path().join("link")).unwrap();
        dir
    }

    #[test]
    fn the_walk_goes_depth_first_by_name_and_skips_links() {
        let dir = tree();
        let names: Vec<PathBuf> = walk(dir.path(), MIB)
            .iter()
            .map(|path| path.strip_prefix(dir.path()).unwrap().to_path_buf())
            .collect();
        assert_eq!(names, ["a", "b/a/deep", "b/z", "b.txt"].map(PathBuf::from));
    }

    #[test]
    fn the_file_that_crosses_the_limit_is_the_last() {
        let dir = tree();
        assert_eq!(walk(dir.path(), 11).len(), 1);
        assert_eq!(walk(dir.path(), 12).len(), 2);
    }

    #[test]
    fn both_ways_agree() {
        let dir = tree();
        let input =
            Input { salt: 77, texts: vec![dir.path().to_str().unwrap().to_owned()], ..Input::default() };
        let results: Vec<u64> = walk(dir.path(), MIB).iter().map(|path| digest_file(77, path)).collect();
        assert_eq!(results, expected(&input, 1));
    }

    proptest! {
        #[test]
        fn words_are_counted_as_by_splitting(text in "[a-c \t\n\r\x0b\x0c]{0,40}") {
            let split = text.as_bytes().split(|byte| is_space(*byte)).filter(|word| !word.is_empty()).count();
            prop_assert_eq!(words(text.as_bytes()), split as u64);
        }
    }
}
