//! Reads the fields of a JSON object one by one, each error with the field's path and every unknown key refused.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::error::{ModelError, Result};
use crate::nearest::nearest;

/// A JSON object being read; remembers which keys were asked for, so that the rest can be refused.
pub struct Fields<'a> {
    path: &'a str,
    object: &'a Map<String, Value>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Fields<'a> {
    /// Starts to read `object`, which lies at `path` of the whole configuration.
    pub fn new(path: &'a str, object: &'a Map<String, Value>) -> Self {
        Self { path, object, asked: RefCell::default() }
    }

    /// A whole number within `range`; `None` where the key is absent.
    pub fn integer(&self, key: &'static str, range: RangeInclusive<u64>) -> Result<Option<usize>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        whole(value, &range).map(Some).ok_or_else(|| {
            self.error(key, format!("a whole number of {} to {} is expected", range.start(), range.end()))
        })
    }

    /// A probability of zero up to, but not including, one.
    pub fn probability(&self, key: &'static str) -> Result<Option<f64>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = value.as_f64().filter(|number| (0.0..1.0).contains(number));
        number.map(Some).ok_or_else(|| self.error(key, "a number of 0 up to, not including, 1 is expected"))
    }

    /// A number above zero and below one.
    pub fn fraction(&self, key: &'static str) -> Result<Option<f64>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = value.as_f64().filter(|number| *number > 0.0 && *number < 1.0);
        number.map(Some).ok_or_else(|| self.error(key, "a number above 0 and below 1 is expected"))
    }

    /// An object; `None` where the key is absent or null.
    pub fn object(&self, key: &'static str) -> Result<Option<&'a Map<String, Value>>> {
        let Some(value) = self.value(key).filter(|value| !value.is_null()) else { return Ok(None) };
        value.as_object().map(Some).ok_or_else(|| self.error(key, "an object or null is expected"))
    }

    /// A list of texts, no two alike.
    pub fn texts(&self, key: &'static str) -> Result<Option<Vec<String>>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let read = |items: &Vec<Value>| items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        let list: Option<Vec<String>> = value.as_array().and_then(read);
        let distinct = |list: &Vec<String>| list.iter().collect::<BTreeSet<_>>().len() == list.len();
        let problem = "a list of texts is expected, no two alike";
        list.filter(distinct).map(Some).ok_or_else(|| self.error(key, problem))
    }

    /// True or false.
    pub fn boolean(&self, key: &'static str) -> Result<Option<bool>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.error(key, "true or false is expected"))
    }

    /// One of a few words, mapped to what it stands for.
    pub fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Result<Option<T>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let found = words.iter().find(|(word, _)| value.as_str() == Some(word));
        found.map(|(_, meaning)| Some(*meaning)).ok_or_else(|| self.error(key, one_of(value, words)))
    }

    /// A list of whole numbers, each within `range`.
    pub fn integers(&self, key: &'static str, range: RangeInclusive<u64>) -> Result<Option<Vec<usize>>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let read = |items: &Vec<Value>| items.iter().map(|item| whole(item, &range)).collect();
        let list: Option<Vec<usize>> = value.as_array().and_then(read);
        list.map(Some).ok_or_else(|| {
            let problem =
                format!("a list of whole numbers of {} to {} is expected", range.start(), range.end());
            self.error(key, problem)
        })
    }

    /// Marks a key as known that is read elsewhere.
    pub fn known(&self, key: &'static str) {
        self.asked.borrow_mut().insert(key);
    }

    /// Refuses the first key that nobody asked for, with the nearest of those that were.
    pub fn finish(&self) -> Result<()> {
        let asked = self.asked.borrow();
        let Some(key) = self.object.keys().find(|key| !asked.contains(key.as_str())) else { return Ok(()) };
        let path = format!("{}.{key}", self.path);
        Err(ModelError::UnknownKey { path, nearest: nearest(key, asked.iter().copied()) })
    }

    /// The error for a required key that is absent.
    pub fn missing(&self, key: &'static str) -> ModelError {
        ModelError::spec(self.at(key), "required, but missing")
    }

    /// A problem with the field `key`, its value quoted.
    pub fn error(&self, key: &str, problem: impl Into<String>) -> ModelError {
        let found = self.object.get(key).map_or_else(String::new, |value| format!(", found {value}"));
        ModelError::spec(self.at(key), problem.into() + &found)
    }

    fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.known(key);
        self.object.get(key)
    }
}

/// JavaScript has one kind of number, so 256.0 is as whole as 256.
fn whole(value: &Value, range: &RangeInclusive<u64>) -> Option<usize> {
    let from_float =
        || value.as_f64().filter(|x| x.fract() == 0.0 && (0.0..9.0e15).contains(x)).map(|x| x as u64);
    let number = value.as_u64().or_else(from_float)?;
    range.contains(&number).then_some(number).and_then(|number| usize::try_from(number).ok())
}

fn one_of<T>(value: &Value, words: &[(&str, T)]) -> String {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let hint = value.as_str().and_then(|word| nearest(word, names.iter().copied()));
    let hint = hint.map_or_else(String::new, |word| format!(" (did you mean \"{word}\"?)"));
    format!("one of {names:?} is expected{hint}")
}
