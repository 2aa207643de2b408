//! Moses' detokenizer.

use super::classes::{Class, is_space};
use super::entities::unescape;
use super::known_language;
use crate::Result;

/// Puts tokens together again as Moses' `detokenizer.perl` and sacremoses' `MosesDetokenizer` do.
#[derive(Debug, Clone)]
pub struct MosesDetokenizer {
    language: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    French,
    /// An apostrophe ends an article there, as it does in French.
    ItalianIrish,
    Korean,
    Other,
}

/// What a token does with its neighbours.
enum Shift {
    /// Stands by itself.
    None,
    /// Is put to the token before.
    Left,
    /// The next is put to it.
    Right,
    /// Stands by itself behind a space of its own.
    Apart,
}

impl MosesDetokenizer {
    /// For a language by its code.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: no language code, or Czech, whose rules are not here.
    pub fn new(language: &str) -> Result<Self> {
        known_language(language, &["cs"])?;
        let language = match language {
            "en" => Language::English,
            "fr" => Language::French,
            "it" | "ga" => Language::ItalianIrish,
            "ko" => Language::Korean,
            _ => Language::Other,
        };
        Ok(Self { language })
    }

    /// The text of a line's tokens, entities turned back into their characters.
    pub fn detokenize(&self, tokens: &[&str]) -> String {
        let text = unescape(&format!(" {} ", tokens.join(" ")).replace(" @-@ ", "-"));
        let tokens: Vec<&str> = text.split(is_space).filter(|token| !token.is_empty()).collect();
        let mut quotes = Quotes::default();
        let mut output = String::with_capacity(text.len());
        let mut space = " ";
        for (index, token) in tokens.iter().enumerate() {
            let previous = index.checked_sub(1).and_then(|index| tokens.get(index)).copied();
            let next = tokens.get(index + 1).copied();
            let shift = self.shift(token, previous, next, &mut quotes);
            output.push_str(match shift {
                Shift::None | Shift::Right => space,
                Shift::Left => "",
                Shift::Apart => " ",
            });
            output.push_str(token);
            space = if matches!(shift, Shift::Right) { "" } else { " " };
        }
        output.trim_matches(is_space).to_owned()
    }

    /// The first rule that a token meets.
    fn shift(&self, token: &str, previous: Option<&str>, next: Option<&str>, quotes: &mut Quotes) -> Shift {
        let starts = |text: &str, class: fn(char) -> bool| text.chars().next().is_some_and(class);
        let letter: fn(char) -> bool = |first| Class::LETTER.has(first);
        if self.language != Language::Korean && starts(token, is_cjk) {
            let joined = previous.and_then(|previous| previous.chars().next_back()).is_some_and(is_cjk);
            return if joined { Shift::Left } else { Shift::None };
        }
        if token.chars().all(|character| Class::CURRENCY.has(character) || "([{¿¡".contains(character)) {
            return Shift::Right;
        }
        if token.chars().all(|character| ",.?!:;\\%}])".contains(character)) {
            let apart =
                self.language == Language::French && matches!(token, "?" | "!" | ":" | ";" | "\\" | "%");
            return if apart { Shift::Apart } else { Shift::Left };
        }
        let contracts = |token: &str| token.strip_prefix('\'').is_some_and(|rest| starts(rest, letter));
        if self.language == Language::English && previous.is_some() && contracts(token) {
            return Shift::Left;
        }
        let elides = |token: &str| {
            token.strip_suffix('\'').and_then(|rest| rest.chars().next_back()).is_some_and(letter)
        };
        if matches!(self.language, Language::French | Language::ItalianIrish)
            && elides(token)
            && next.is_some_and(|next| starts(next, letter))
        {
            return Shift::Right;
        }
        if token.chars().all(|character| "'\"„“`".contains(character)) {
            let possessive =
                self.language == Language::English && previous.is_some_and(|word| word.ends_with('s'));
            return quotes.shift(token, possessive);
        }
        Shift::None
    }
}

/// How often each quotation mark was seen: it opens and closes in turn.
#[derive(Default)]
struct Quotes(Vec<(String, bool)>);

impl Quotes {
    fn shift(&mut self, token: &str, possessive: bool) -> Shift {
        let mark = if token.chars().all(|character| "„“".contains(character)) { "\"" } else { token };
        let known = self.0.iter().position(|(known, _)| known == mark).unwrap_or_else(|| {
            self.0.push((mark.to_owned(), false));
            self.0.len() - 1
        });
        let open = &mut self.0[known].1;
        if !*open && possessive && token == "'" {
            return Shift::Left;
        }
        *open = !*open;
        if *open { Shift::Right } else { Shift::Left }
    }
}

/// Chinese, Japanese, Korean and their neighbours: written without spaces.
fn is_cjk(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x11ff | 0x2e80..=0xa4cf | 0xa840..=0xa87f | 0xac00..=0xd7af | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f | 0xff65..=0xffdc | 0x17000..=0x18aff | 0x1b000..=0x1b12f | 0x1b170..=0x1b2ff
        | 0x20000..=0x2ffff)
}
