//! Moses' punctuation normalisation.

use super::classes::{Class, is_space};
use super::known_language;
use crate::Result;

/// What becomes what, in this order.
type Literals = &'static [(&'static str, &'static str)];

const BRACKETS: Literals = &[("\r", ""), ("(", " ("), (")", ") ")];
const BRACKETS_CLOSED: Literals =
    &[(") .", ")."), (") :", "):"), (") !", ")!"), (") ?", ")?"), (") ;", ");"), (") ,", "),")];
const BRACKETS_TIGHT: Literals = &[("( ", "("), (" )", ")")];
const COLONS: Literals = &[(" :", ":"), (" ;", ";")];
const PENN: Literals = &[("`", "'"), ("''", " \" ")];
const QUOTES_AND_DASHES: Literals = &[("„", "\""), ("“", "\""), ("”", "\""), ("–", "-"), ("—", " - ")];
const APOSTROPHES: Literals = &[("´", "'"), ("‘", "'"), ("‚", "'"), ("’", "'"), ("''", "\""), ("…", "...")];
const FRENCH_QUOTES: Literals = &[
    ("\u{a0}«\u{a0}", "\""),
    ("«\u{a0}", "\""),
    ("«", "\""),
    ("\u{a0}»\u{a0}", "\""),
    ("\u{a0}»", "\""),
    ("»", "\""),
];
const NO_BREAK_SPACES: Literals = &[
    ("\u{a0}%", "%"),
    ("nº\u{a0}", "nº "),
    ("\u{a0}:", ":"),
    ("\u{a0}ºC", " ºC"),
    ("\u{a0}cm", " cm"),
    ("\u{a0}?", "?"),
    ("\u{a0}!", "!"),
    ("\u{a0};", ";"),
    (",\u{a0}", ", "),
];

/// Writes quotation marks, dashes, apostrophes and the spaces around them one way, as Moses' `normalize-punctuation.perl`
/// and sacremoses' `MosesPunctNormalizer` do.
#[derive(Debug, Clone)]
pub struct MosesNormalizer {
    quotes: Quotes,
    /// Between digits that a no-break space parts.
    separator: char,
    penn: bool,
    quote_commas: bool,
    numbers: bool,
}

#[derive(Debug, Clone, Copy)]
enum Quotes {
    /// A comma or period goes into the quotation.
    Inside,
    /// They go behind it.
    Outside,
    Kept,
}

impl MosesNormalizer {
    /// For a language by its code.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: no language code.
    pub fn new(language: &str) -> Result<Self> {
        known_language(language, &[])?;
        let quotes = match language {
            "en" => Quotes::Inside,
            "de" | "es" | "fr" => Quotes::Outside,
            _ => Quotes::Kept,
        };
        let separator = if matches!(language, "de" | "es" | "cz" | "cs" | "fr") { ',' } else { '.' };
        Ok(Self { quotes, separator, penn: true, quote_commas: true, numbers: true })
    }

    /// Whether `` ` `` and `''` become quotation marks. Default true, as in sacremoses.
    pub fn penn(mut self, penn: bool) -> Self {
        self.penn = penn;
        self
    }

    /// Whether quotation marks and the commas beside them change places as the language has it. Default true.
    pub fn quote_commas(mut self, quote_commas: bool) -> Self {
        self.quote_commas = quote_commas;
        self
    }

    /// Whether a no-break space between digits becomes the language's comma or point. Default true.
    pub fn numbers(mut self, numbers: bool) -> Self {
        self.numbers = numbers;
        self
    }

    /// The line with its punctuation normalised, trimmed.
    pub fn normalize(&self, text: &str) -> String {
        let mut text = Text(text.to_owned());
        text.all(BRACKETS).squeeze().all(BRACKETS_CLOSED).all(BRACKETS_TIGHT).percent().all(COLONS);
        if self.penn {
            text.all(PENN);
        }
        if !text.0.is_ascii() {
            text.all(QUOTES_AND_DASHES);
        }
        // The step before may have made spaces, and so may the dashes.
        text.squeeze().all(APOSTROPHES);
        if !text.0.is_ascii() {
            text.all(FRENCH_QUOTES).all(NO_BREAK_SPACES);
        }
        text.squeeze();
        match self.quotes {
            Quotes::Inside if self.quote_commas => text.commas_inside(),
            Quotes::Outside if self.quote_commas => text.commas_outside(),
            _ => &mut text,
        };
        if self.numbers {
            text.digits(self.separator);
        }
        text.0.trim_matches(is_space).to_owned()
    }
}

/// Without characters that print nothing: control, format, private and unassigned ones (`\p{C}`).
pub fn remove_non_printing(text: &str) -> String {
    text.chars().filter(|character| !Class::OTHER.has(*character)).collect()
}

/// A line on its way. Each step looks first whether there is anything to do: mostly there is not.
struct Text(String);

impl Text {
    fn all(&mut self, literals: Literals) -> &mut Self {
        for (from, to) in literals {
            if self.0.contains(from) {
                self.0 = self.0.replace(from, to);
            }
        }
        self
    }

    /// Runs of spaces become one.
    fn squeeze(&mut self) -> &mut Self {
        if self.0.contains("  ") {
            let mut last = '\0';
            self.0.retain(|character| std::mem::replace(&mut last, character) != ' ' || character != ' ');
        }
        self
    }

    /// `5 %` becomes `5%`.
    fn percent(&mut self) -> &mut Self {
        self.rewrite(" %", |output, _| {
            let digit = output.chars().next_back().is_some_and(|last| Class::DIGIT.has(last));
            output.push_str(if digit { "%" } else { " %" });
            2
        })
    }

    /// `",` becomes `,"`, periods and commas after it too.
    fn commas_inside(&mut self) -> &mut Self {
        self.rewrite("\"", |output, rest| {
            let behind = rest[1..].trim_start_matches([',', '.']);
            output.push_str(&rest[1..rest.len() - behind.len()]);
            output.push('"');
            rest.len() - behind.len()
        })
    }

    /// `,"` becomes `",`, and `."` becomes `".` unless it ends the line or markup follows.
    fn commas_outside(&mut self) -> &mut Self {
        self.all(&[(",\"", "\",")]).rewrite(".", |output, rest| {
            let quote = rest.trim_start_matches('.');
            let dots = &rest[..rest.len() - quote.len()];
            let Some(moved) = quote.strip_prefix('"').and_then(moved) else {
                output.push_str(dots);
                return dots.len();
            };
            output.extend(["\"", dots, moved]);
            dots.len() + 1 + moved.len()
        })
    }

    /// A no-break space between digits becomes the separator. The digit behind is not looked at again.
    fn digits(&mut self, separator: char) -> &mut Self {
        let mut used = 0;
        self.rewrite("\u{a0}", |output, rest| {
            let space = '\u{a0}'.len_utf8();
            let before = output[used..].chars().next_back().filter(|before| Class::DIGIT.has(*before));
            let after = rest[space..].chars().next().filter(|after| Class::DIGIT.has(*after));
            let (Some(_), Some(after)) = (before, after) else {
                output.push('\u{a0}');
                return space;
            };
            output.extend([separator, after]);
            used = output.len();
            space + after.len_utf8()
        })
    }

    /// Copies the line and stops at each `found`: there `write` puts out what it likes and says where to go on.
    fn rewrite(&mut self, found: &str, mut write: impl FnMut(&mut String, &str) -> usize) -> &mut Self {
        if !self.0.contains(found) {
            return self;
        }
        let mut output = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some(at) = rest.find(found) {
            output.push_str(&rest[..at]);
            rest = &rest[at + write(&mut output, &rest[at..])..];
        }
        output.push_str(rest);
        self.0 = output;
        self
    }
}

/// What has to follow a full stop and quotation mark for them to change places: white space and one character, which must
/// not open markup; white space alone before markup or the end.
fn moved(rest: &str) -> Option<&str> {
    let behind = rest.trim_start_matches(is_space);
    let spaces = rest.len() - behind.len();
    let length = match behind.chars().next() {
        Some(next) if next != '<' => spaces + next.len_utf8(),
        _ => spaces,
    };
    (length > 0).then(|| &rest[..length])
}
