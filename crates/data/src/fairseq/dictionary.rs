//! fairseq's dictionaries: `SYMBOL COUNT` a line, from id 4 on. Source: `fairseq/data/dictionary.py`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::{DataError, Result};

/// What ids 0 to 3 are: the beginning of a sentence, padding, its end, an unknown symbol.
const SPECIAL: [&str; 4] = ["<s>", "<pad>", "</s>", "<unk>"];
/// The id of `</s>`.
pub(super) const END_ID: usize = 2;
/// At the end of a line: its symbol may be in the file twice.
const OVERWRITE: &str = "#fairseq:overwrite";

/// The symbols of one language.
#[derive(Debug)]
pub(super) struct Dictionary {
    pub path: PathBuf,
    /// From id 4 on.
    pub symbols: Vec<String>,
}

impl Dictionary {
    /// Reads a `dict.LANGUAGE.txt`.
    ///
    /// # Errors
    /// `ERR_DATA`: a line that is not `SYMBOL COUNT`, a symbol that is there twice, no UTF-8. `ERR_IO`.
    pub fn open(path: &Path) -> Result<Self> {
        let refuse = |line: Option<u64>, reason: String| DataError::Corpus {
            path: path.to_owned(),
            line,
            reason,
            remedy: "give the dictionary that fairseq-preprocess has written".into(),
        };
        let bytes = std::fs::read(path).map_err(DataError::io("read", path))?;
        let text = String::from_utf8(bytes).map_err(|_| refuse(None, "it is not UTF-8".into()))?;
        let mut known: HashSet<String> = SPECIAL.map(str::to_owned).into();
        let mut symbols = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let refuse = |reason| refuse(Some(index as u64 + 1), reason);
            let (symbol, overwrites) =
                parse(line).ok_or_else(|| refuse("it is not a symbol, a space and a count".to_owned()))?;
            if !known.insert(symbol.to_owned()) && !overwrites {
                return Err(refuse(format!("the symbol `{symbol}` is there before")));
            }
            symbols.push(symbol.to_owned());
        }
        Ok(Self { path: path.to_owned(), symbols })
    }

    /// Number of ids.
    pub fn len(&self) -> usize {
        SPECIAL.len() + self.symbols.len()
    }

    /// Symbol `id`, None for the first four.
    pub fn symbol(&self, id: usize) -> Option<&str> {
        self.symbols.get(id.checked_sub(SPECIAL.len())?).map(String::as_str)
    }
}

/// The symbol of a line, and whether it may repeat another.
fn parse(line: &str) -> Option<(&str, bool)> {
    let (rest, last) = line.trim_end().rsplit_once(' ')?;
    let (symbol, count, overwrites) = if last == OVERWRITE {
        let (symbol, count) = rest.rsplit_once(' ')?;
        (symbol, count, true)
    } else {
        (rest, last, false)
    };
    count.parse::<i64>().ok().map(|_| (symbol, overwrites))
}
