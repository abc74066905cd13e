//! The pages that the server of `fetch` hands out: the server makes them, the oracle makes them again.

use crate::random::Random;

/// How many bytes a page has.
pub const PAGE_BYTES: usize = 1024;

/// The page for a request target such as `/20/123456`: lines of lower-case words that depend on the target alone.
///
/// Every target has a text of its own, so an answer that went to the wrong request cannot pass for the right one.
#[must_use]
pub fn page(target: &str) -> Vec<u8> {
    let mut random = Random::new(0, target);
    let mut text = Vec::with_capacity(PAGE_BYTES + 10);
    while text.len() < PAGE_BYTES {
        let mut word = random.word();
        for _ in 0..2 + word % 8 {
            word /= 26;
            text.push(b'a' + u8::try_from(word % 26).expect("a letter"));
        }
        text.push(if word % 11 == 0 { b'\n' } else { b' ' });
    }
    text.truncate(PAGE_BYTES - 1);
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_text_of_the_stated_size_and_belongs_to_its_target() {
        let text = page("/20/1");
        assert_eq!(text.len(), PAGE_BYTES);
        assert!(text.iter().all(|byte| byte.is_ascii_lowercase() || b" \n".contains(byte)));
        assert_eq!(text, page("/20/1"));
        assert_ne!(text, page("/20/2"));
    }
}
