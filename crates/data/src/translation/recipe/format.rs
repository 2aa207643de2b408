//! What becomes of the lines of a published file, as the field's scripts have it with grep, sed and Perl.

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A sentence a line.
    Plain,
    /// Likewise, with lines about the talk in between (IWSLT's training files).
    Tagged,
    /// Sentences in `<seg id>`, each in one line (IWSLT's development and test files).
    Xml,
    /// Sentences in `<seg>`, which may go over several lines (WMT's development and test files).
    Sgm,
    /// A sentence a line, words in pieces that end in `@@`.
    Subwords,
}

/// Lines about a talk.
const DROPPED: [&str; 3] = ["<url>", "<talkid>", "<keywords>"];
/// Tags around text.
const STRIPPED: [&str; 4] = ["<title>", "</title>", "<description>", "</description>"];

/// Turns a file's lines into sentences.
#[derive(Debug)]
pub(super) struct Lines {
    format: Format,
    /// What is open of a segment that goes over several lines.
    open: String,
}

impl Lines {
    pub(super) fn new(format: Format) -> Self {
        Self { format, open: String::new() }
    }

    /// The sentence that a line gives, or ends.
    pub(super) fn next(&mut self, line: &str) -> Option<String> {
        match self.format {
            Format::Plain => Some(line.to_owned()),
            Format::Tagged => tagged(line),
            Format::Xml => line.contains("<seg id").then(|| xml(line)),
            Format::Sgm => self.sgm(line),
            Format::Subwords => Some(line.replace("@@ ", "")),
        }
    }

    /// Bytes of a segment that is still open.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// As Moses' `input-from-sgm.perl`: lines of a segment are put together without a space, entities stay.
    fn sgm(&mut self, line: &str) -> Option<String> {
        self.open.push_str(line);
        let Some(start) = segment(&self.open) else {
            self.open.clear();
            return None;
        };
        let end = self.open[start..].to_ascii_lowercase().rfind("</seg>")?;
        let words: Vec<&str> = self.open[start..start + end].split_ascii_whitespace().collect();
        let sentence = words.join(" ");
        self.open.clear();
        Some(sentence)
    }
}

fn tagged(line: &str) -> Option<String> {
    if DROPPED.iter().any(|tag| line.contains(tag)) {
        return None;
    }
    Some(STRIPPED.iter().fold(line.to_owned(), |line, tag| line.replace(tag, "")))
}

fn xml(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("<seg id=\"") {
        let number = &rest[at + "<seg id=\"".len()..];
        let Some(behind) = number.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("\">") else {
            text.push_str(&rest[..rest.len() - number.len()]);
            rest = number;
            continue;
        };
        text.push_str(&rest[..at]);
        rest = behind.trim_start();
    }
    text.push_str(rest);
    let pieces: Vec<&str> = text.split("</seg>").collect();
    let last = pieces.len() - 1;
    let trimmed = pieces.into_iter().enumerate().map(|(index, piece)| {
        let piece = if index == 0 { piece } else { piece.trim_start() };
        if index == last { piece } else { piece.trim_end() }
    });
    trimmed.collect::<String>().replace('’', "'")
}

/// Where the text of the first `<seg ...>` begins.
fn segment(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let mut from = 0;
    while let Some(found) = lower[from..].find("<seg") {
        let attributes = from + found + "<seg".len();
        match lower[attributes..].find('>') {
            Some(0) => from = attributes,
            Some(length) => return Some(attributes + length + 1),
            None => return None,
        }
    }
    None
}
