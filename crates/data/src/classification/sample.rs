//! One sample out of a row.

use serde_json::{Map, Value};

use super::Kind;
use super::rows::{Format, Layout, Place, Raw};
use crate::text::{Flaw, Reason};

/// What a row says.
#[derive(Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) text: String,
    pub(crate) pair: Option<String>,
    pub(crate) label: Label,
    /// What the test server knows it by.
    pub(crate) index: Option<u64>,
}

/// What is to be learnt of a sample.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Label {
    Class(String),
    Number(f32),
    None,
    /// One in a file whose first row has none.
    Late,
}

/// The values of a row.
enum Values<'a> {
    Fields(Vec<&'a str>),
    Object(Map<String, Value>),
}

impl Layout {
    /// The sample of a row, or why there is none. `Ok(None)`: it belongs to another part.
    pub(crate) fn sample(&self, raw: &Raw, kind: Kind) -> Result<Option<Sample>, Flaw> {
        let flaw = |reason| (reason, raw.excerpt());
        let values = match self.format {
            Format::Json => Values::Object(raw.object()?),
            _ => Values::Fields(self.counted(raw)?),
        };
        if !self.shares(&values) {
            return Ok(None);
        }
        let text = values.get(&self.text).map_err(flaw)?;
        let pair = self.pair.as_ref().map(|place| values.get(place)).transpose().map_err(flaw)?;
        if self.official.is_none() {
            let empty = |text: &str| text.trim().is_empty();
            match (empty(&text), pair.as_deref().is_some_and(empty)) {
                (true, _) => return Err(flaw(Reason::EmptyText)),
                (_, true) => return Err(flaw(Reason::EmptyPair)),
                _ => {}
            }
            // No text has it: the file is cut, padded with zeros, or UTF-16 without a byte order mark.
            if text.contains('\0') || pair.as_ref().is_some_and(|pair| pair.contains('\0')) {
                return Err(flaw(Reason::ControlCharacter));
            }
        }
        let index = self.index.as_ref().map(|place| values.index(place)).transpose().map_err(flaw)?;
        let label = self.label(&values, kind).map_err(flaw)?;
        Ok(Some(Sample { text, pair, label, index }))
    }

    /// Whether rows that cannot be read are another part's of the same file.
    pub(crate) fn leaves_flaws(&self) -> bool {
        let share = self.official.as_ref().and_then(|official| official.share.as_ref());
        share.is_some_and(|share| share.takes)
    }

    /// The columns of a row, where they are as many as they must be.
    fn counted<'a>(&self, raw: &'a Raw) -> Result<Vec<&'a str>, Flaw> {
        let fields = raw.fields()?;
        let wanted = self.columns.unwrap_or(fields.len());
        let reason = match fields.len() {
            1 if fields[0].trim().is_empty() => Reason::EmptyLine,
            found if found < wanted => Reason::MissingField,
            found if found > wanted => Reason::ExtraField,
            _ => return Ok(fields),
        };
        Err((reason, raw.excerpt()))
    }

    /// Whether the row belongs to the part; one without a name belongs to what is left.
    fn shares(&self, values: &Values<'_>) -> bool {
        let share = self.official.as_ref().and_then(|official| official.share.as_ref());
        let (Some(share), Some([first, second])) = (share, &self.share) else { return true };
        let named = match (values.get(first), values.get(second)) {
            (Ok(first), Ok(second)) => share.named.contains(&[first, second]),
            _ => false,
        };
        named == share.takes
    }

    /// What is found where there should be no label.
    fn late(&self, values: &Values<'_>) -> Label {
        let late = self.no_label.as_ref().is_some_and(|place| values.says(place));
        if late { Label::Late } else { Label::None }
    }

    fn label(&self, values: &Values<'_>, kind: Kind) -> Result<Label, Reason> {
        let Some(place) = &self.label else { return Ok(self.late(values)) };
        let label = values.label(place)?;
        let unlabelled = self.official.as_ref().and_then(|official| official.unlabelled);
        if unlabelled.is_some_and(|unlabelled| unlabelled == label) {
            return Err(Reason::NoGoldLabel);
        }
        match kind {
            Kind::Classification if label.is_empty() => Err(Reason::EmptyLabel),
            Kind::Classification if label.contains('\0') => Err(Reason::ControlCharacter),
            Kind::Classification => Ok(Label::Class(label)),
            Kind::Regression => match label.parse::<f64>().map(|number| number as f32) {
                Ok(number) if number.is_finite() => Ok(Label::Number(number)),
                _ => Err(if label.is_empty() { Reason::EmptyLabel } else { Reason::NotANumber }),
            },
        }
    }
}

impl Values<'_> {
    /// Whether anything but null or white space stands there.
    fn says(&self, place: &Place) -> bool {
        match self.label(place) {
            Ok(label) => !label.is_empty(),
            Err(reason) => reason == Reason::NotText,
        }
    }

    /// A text, as it stands there.
    fn get(&self, place: &Place) -> Result<String, Reason> {
        match (self, place) {
            (Self::Fields(fields), Place::At(at)) => {
                fields.get(*at).map(|field| (*field).to_owned()).ok_or(Reason::MissingField)
            }
            (Self::Object(object), Place::Key(key)) => match object.get(key) {
                Some(Value::String(text)) => Ok(text.clone()),
                Some(_) => Err(Reason::NotText),
                None => Err(Reason::MissingKey),
            },
            _ => Err(Reason::MissingField),
        }
    }

    /// A class or a number: text without white space around it, or a plain value of an object.
    fn label(&self, place: &Place) -> Result<String, Reason> {
        if let (Self::Object(object), Place::Key(key)) = (self, place) {
            return match object.get(key) {
                Some(Value::Number(number)) => Ok(number.to_string()),
                Some(Value::Bool(truth)) => Ok(truth.to_string()),
                Some(Value::String(text)) => Ok(text.trim().to_owned()),
                Some(Value::Null) => Err(Reason::EmptyLabel),
                Some(_) => Err(Reason::NotText),
                None => Err(Reason::MissingKey),
            };
        }
        self.get(place).map(|label| label.trim().to_owned())
    }

    fn index(&self, place: &Place) -> Result<u64, Reason> {
        self.get(place)?.trim().parse().map_err(|_| Reason::NoIndex)
    }
}
