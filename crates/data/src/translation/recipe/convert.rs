//! One published file, from its bytes to sentences in a file of ours.

use std::io::{BufRead, Read, Write};
use std::path::Path;

use super::format::{Format, Lines};
use crate::preparation::Watch;
use crate::preparation::watch::look;
use crate::text::{LONGEST_LINE, corpus};
use crate::{DataError, Result};

/// Lines between two looks at the watch.
const INTERVAL: u64 = 1 << 12;

/// Where bytes come from, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    /// The archive, or the file itself.
    pub(super) path: &'a Path,
    /// Its name in the archive.
    pub(super) member: Option<&'a str>,
}

impl Origin<'_> {
    pub(super) fn refused(&self, line: Option<u64>, reason: &str, remedy: &str) -> DataError {
        match (self.member, line) {
            (None, _) => corpus(self.path, line, reason, remedy),
            (Some(member), None) => corpus(self.path, None, &format!("{member}: {reason}"), remedy),
            (Some(member), Some(line)) => {
                corpus(self.path, None, &format!("{member}:{line}: {reason}"), remedy)
            }
        }
    }

    /// A read that failed: of an archive it means that the archive is no longer what was packed.
    pub(super) fn unreadable(&self, line: Option<u64>, error: &std::io::Error) -> DataError {
        self.refused(line, &format!("it is cut off or damaged ({error})"), "fetch it again")
    }
}

/// Writes the sentences of a file, one a line, and says how many.
pub(super) fn convert(
    origin: Origin<'_>,
    reader: &mut dyn BufRead,
    format: Format,
    writer: &mut dyn Write,
    target: &Path,
    watch: &dyn Watch,
) -> Result<u64> {
    let (mut lines, mut buffer) = (Lines::new(format), Vec::new());
    let (mut read, mut written) = (0, 0);
    while fill(reader, &mut buffer).map_err(|error| origin.unreadable(Some(read + 1), &error))? {
        read += 1;
        if read % INTERVAL == 0 {
            look(watch, "assemble", read, 0.0)?;
        }
        if buffer.len() > LONGEST_LINE {
            return Err(origin.refused(
                Some(read),
                "the line is longer than a line may be",
                "fetch it again",
            ));
        }
        let line = std::str::from_utf8(&buffer).map_err(|error| {
            let reason = format!("byte {} of the line is not UTF-8", error.valid_up_to() + 1);
            origin.refused(Some(read), &reason, "fetch it again, or repair the line: iconv -c")
        })?;
        if let Some(sentence) = lines.next(line) {
            writeln!(writer, "{}", printing(&sentence)).map_err(DataError::io("write", target))?;
            written += 1;
        }
        if lines.open() > LONGEST_LINE {
            return Err(origin.refused(Some(read), "a <seg> before it is not closed", "fetch it again"));
        }
        buffer.clear();
    }
    if lines.open() > 0 {
        return Err(origin.refused(Some(read), "it ends within a <seg>", "fetch it again"));
    }
    Ok(written)
}

/// Reads a line without its line feed, or its start where it is too long. False at the end.
fn fill(reader: &mut dyn BufRead, buffer: &mut Vec<u8>) -> std::io::Result<bool> {
    let read = reader.take(LONGEST_LINE as u64 + 2).read_until(b'\n', buffer)?;
    buffer.pop_if(|last| *last == b'\n');
    Ok(read > 0)
}

/// The line without control characters: those that part words become a space, as do those of Latin-1, which stand for a
/// mistaken encoding; the rest are dropped, as Moses' tokenizer does.
fn printing(line: &str) -> std::borrow::Cow<'_, str> {
    if !line.chars().any(char::is_control) {
        return line.into();
    }
    let printing = |character: char| match character {
        '\t' | '\n' | '\x0b' | '\x0c' | '\r' | '\x1c'..='\x1f' | '\x7f'..='\u{9f}' => Some(' '),
        '\0'..' ' => None,
        _ => Some(character),
    };
    line.chars().filter_map(printing).collect()
}
