//! The tokenizer of WMT's `mteval-v13a.pl`, as sacreBLEU's `tokenizer_13a.py` and `tokenizer_re.py` state it.

use super::western::{detach_stops_and_dashes, detach_symbols};
use crate::white_space::{is_space, split_words};

/// Splits `sentence` into the tokens over which BLEU counts n-grams. Case is kept.
pub fn tokenize_13a(sentence: &str) -> Vec<String> {
    let line: Vec<char> = format!(" {} ", unescape(sentence.trim_end_matches(is_space))).chars().collect();
    let line: String = detach_stops_and_dashes(&detach_symbols(&line)).into_iter().collect();
    split_words(&line).map(str::to_owned).collect()
}

fn unescape(sentence: &str) -> String {
    let line = sentence.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if !line.contains('&') {
        return line;
    }
    line.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
}
