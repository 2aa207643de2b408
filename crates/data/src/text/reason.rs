//! Why a line is not used.

use serde::{Deserialize, Serialize};

/// Why a line of a corpus is left out. Each such line is counted and listed in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// A TSV line without a tab.
    NoTab,
    /// A TSV line with more than one tab.
    ExtraTab,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// Nothing but white space.
    EmptyLine,
    /// A target without a source.
    EmptySource,
    /// A source without a target.
    EmptyTarget,
    /// NUL or another control character (Unicode's Cc), a tab inside one side too; of labelled text only NUL.
    ControlCharacter,
    /// More bytes than [`LONGEST_LINE`](super::LONGEST_LINE).
    LineTooLong,
    /// The other file has ended.
    MissingPartner,
    /// More tokens on a side than `maxLength`, the closing `</s>` counted.
    TooManyTokens,
    /// Fewer words on a side than `minWords`: a choice of the user's and no flaw.
    TooFewWords,
    /// More words on a side than `maxWords`: likewise.
    TooManyWords,
    /// More than `maxRatio` times as many words on one side as on the other: likewise.
    LengthRatio,
    /// A word of more characters than `maxWordLength`: likewise.
    WordTooLong,
    /// Fewer columns than the first line, or than are read.
    MissingField,
    /// More columns than the first line.
    ExtraField,
    /// A quote that the file ends in.
    UnclosedQuote,
    /// Not a JSON object.
    InvalidJson,
    /// An object without a key that is read.
    MissingKey,
    /// An object's value that is no text, or no plain value for a label.
    NotText,
    /// A text of nothing but white space.
    EmptyText,
    /// A second text of nothing but white space.
    EmptyPair,
    /// No label.
    EmptyLabel,
    /// A label of a regression that is no finite number.
    NotANumber,
    /// A label that says that there is none.
    NoGoldLabel,
    /// A test sample without the number that the test server knows it by.
    NoIndex,
}

impl Reason {
    /// For people.
    pub fn what(self) -> &'static str {
        match self {
            Self::NoTab => "no tab between source and target",
            Self::ExtraTab => "more than one tab",
            Self::InvalidUtf8 => "not valid UTF-8",
            Self::EmptyLine => "an empty line",
            Self::EmptySource => "an empty source",
            Self::EmptyTarget => "an empty target",
            Self::ControlCharacter => "a control character",
            Self::LineTooLong => "longer than a line may be",
            Self::MissingPartner => "no line of this number in the other file",
            Self::TooManyTokens => "more tokens than maxLength",
            Self::TooFewWords => "fewer words than minWords",
            Self::TooManyWords => "more words than maxWords",
            Self::LengthRatio => "sides longer than maxRatio allows of each other",
            Self::WordTooLong => "a word longer than maxWordLength",
            Self::MissingField => "too few columns",
            Self::ExtraField => "more columns than the first line",
            Self::UnclosedQuote => "a quote that is not closed",
            Self::InvalidJson => "not a JSON object",
            Self::MissingKey => "a key is missing",
            Self::NotText => "a value that is no text",
            Self::EmptyText => "an empty text",
            Self::EmptyPair => "an empty second text",
            Self::EmptyLabel => "no label",
            Self::NotANumber => "a label that is no finite number",
            Self::NoGoldLabel => "a label that the annotators did not agree on",
            Self::NoIndex => "no index",
        }
    }

    /// True where the line is sound and was left out because an option says so.
    pub fn is_choice(self) -> bool {
        matches!(self, Self::TooFewWords | Self::TooManyWords | Self::LengthRatio | Self::WordTooLong)
    }
}
