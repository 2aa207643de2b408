//! Where words are parted at an apostrophe, language by language.

use super::classes::Class;

/// What stands before an apostrophe, what behind it, and what is put in its place.
type Rule = (fn(char) -> bool, fn(char) -> bool, &'static str);

/// That of isn't and of the Jones's.
const ENGLISH: [Rule; 5] = [
    (|before| !Class::ALPHA.has(before), |after| !Class::ALPHA.has(after), " ' "),
    (
        |before| !Class::ALPHA.has(before) && !Class::NUMBER.has(before),
        |after| Class::ALPHA.has(after),
        " ' ",
    ),
    (|before| Class::ALPHA.has(before), |after| !Class::ALPHA.has(after), " ' "),
    (|before| Class::ALPHA.has(before), |after| Class::ALPHA.has(after), " '"),
    (|before| Class::NUMBER.has(before), |after| after == 's', " '"),
];

/// That of l'eau and dell'arte.
const FRENCH_ITALIAN: [Rule; 4] = [
    (|before| !Class::ALPHA.has(before), |after| !Class::ALPHA.has(after), " ' "),
    (|before| !Class::ALPHA.has(before), |after| Class::ALPHA.has(after), " ' "),
    (|before| Class::ALPHA.has(before), |after| !Class::ALPHA.has(after), " ' "),
    (|before| Class::ALPHA.has(before), |after| Class::ALPHA.has(after), "' "),
];

#[derive(Debug, Clone, Copy)]
pub(super) enum Apostrophes {
    English,
    FrenchItalian,
    /// Each is a token.
    Apart,
}

impl Apostrophes {
    pub(super) fn of(language: &str) -> Self {
        match language {
            "en" => Self::English,
            "fr" | "it" => Self::FrenchItalian,
            _ => Self::Apart,
        }
    }

    pub(super) fn split(self, text: &str) -> String {
        let rules: &[Rule] = match self {
            Self::English => &ENGLISH,
            Self::FrenchItalian => &FRENCH_ITALIAN,
            Self::Apart => return text.replace('\'', " ' "),
        };
        rules.iter().fold(text.to_owned(), |text, rule| apply(&text, *rule))
    }
}

/// One rule from left to right. A character that stood beside one apostrophe is used up: it is not before the next.
fn apply(text: &str, (before, after, with): Rule) -> String {
    let mut output = String::with_capacity(text.len() + 16);
    let (mut done, mut seek) = (0, 0);
    while let Some(found) = text[seek..].find('\'') {
        let apostrophe = seek + found;
        seek = apostrophe + 1;
        let previous = text[done..apostrophe].chars().next_back();
        let next = text[seek..].chars().next();
        if let (Some(previous), Some(next)) = (previous, next)
            && before(previous)
            && after(next)
        {
            output.push_str(&text[done..apostrophe]);
            output.push_str(with);
            output.push(next);
            done = seek + next.len_utf8();
            seek = done;
        }
    }
    output.push_str(&text[done..]);
    output
}
