//! A text as an address that holds it, for the download of the raw data.

/// The attribute `href='data:…'`. Its quotes are single, because JSON is full of double ones: they may stand as they are
/// and the page stays small.
pub(super) fn href_json(json: &str) -> String {
    let mut attribute = String::with_capacity(json.len() + json.len() / 8);
    attribute.push_str("href='data:application/json;charset=utf-8,");
    for byte in json.bytes() {
        match byte {
            // What would end the attribute or the address, mean something in HTML, or be dropped by a browser.
            b'%' | b'#' | b'\'' | b'&' | b'<' | b'>' | b'\\' | b'`' | 0..=b' ' | 0x7f.. => {
                attribute.push_str(&format!("%{byte:02X}"));
            }
            _ => attribute.push(char::from(byte)),
        }
    }
    attribute.push('\'');
    attribute
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_is_escaped() {
        let expected = "href='data:application/json;charset=utf-8,{\"a\":\"1%25%20%3C%27%C3%97\"}'";
        assert_eq!(href_json("{\"a\":\"1% <'×\"}"), expected);
    }
}
