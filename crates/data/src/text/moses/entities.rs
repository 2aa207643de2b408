//! Characters that mean something to Moses' decoder, written as entities.

/// What is escaped, in the order of Moses.
pub(super) fn escape(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + text.len() / 8);
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        let Some(entity) = entity(byte) else { continue };
        output.push_str(&text[done..at]);
        output.push_str(entity);
        done = at + 1;
    }
    output.push_str(&text[done..]);
    output
}

fn entity(byte: u8) -> Option<&'static str> {
    Some(match byte {
        b'&' => "&amp;",
        b'|' => "&#124;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'\'' => "&apos;",
        b'"' => "&quot;",
        b'[' => "&#91;",
        b']' => "&#93;",
        _ => return None,
    })
}

/// Entities and their characters, those of older Moses too.
const ENTITIES: [(&str, char); 11] = [
    ("&amp;", '&'),
    ("&quot;", '"'),
    ("&apos;", '\''),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&#124;", '|'),
    ("&#91;", '['),
    ("&#93;", ']'),
    ("&bar;", '|'),
    ("&bra;", '['),
    ("&ket;", ']'),
];

/// The inverse of [`escape`]. One look at each ampersand is enough: no entity's character begins another.
pub(super) fn unescape(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        output.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity));
        let (character, length) = known.map_or(('&', 1), |(entity, character)| (*character, entity.len()));
        output.push(character);
        rest = &rest[length..];
    }
    output.push_str(rest);
    output
}
