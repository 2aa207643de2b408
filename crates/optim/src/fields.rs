//! Reading a JSON object key by key, so that every complaint names the key's path.

use crate::error::{OptimError, Result};
use serde_json::{Map, Value};

/// An object whose keys are known to be among the allowed ones.
pub(crate) struct Fields<'a> {
    path: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// `value` as an object with no key beyond `allowed`.
    pub fn of(value: &'a Value, path: &'a str, allowed: &[&str]) -> Result<Self> {
        let Some(map) = value.as_object() else {
            return Err(OptimError::config(path, format!("is {}, must be an object", kind(value))));
        };
        let Some(key) = map.keys().find(|key| !allowed.contains(&key.as_str())) else {
            return Ok(Self { path, map });
        };
        Err(OptimError::config(join(path, key), format!("unknown key{}", suggestion(key, allowed))))
    }

    pub fn path(&self, key: &str) -> String {
        join(self.path, key)
    }

    /// The value of a key; null counts as absent.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub fn error(&self, key: &str, problem: impl Into<String>) -> OptimError {
        OptimError::config(self.path(key), problem)
    }

    fn read<T>(&self, key: &str, wanted: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(self.error(key, format!("is {}, must be {wanted}", short(value)))),
        }
    }

    /// A number for which `fits` holds; `wanted` says which those are.
    pub fn number(&self, key: &str, wanted: &str, fits: impl Fn(f64) -> bool) -> Result<Option<f64>> {
        self.read(key, wanted, |value| value.as_f64().filter(|number| number.is_finite() && fits(*number)))
    }

    /// A number of at least 0.
    pub fn at_least_0(&self, key: &str) -> Result<Option<f64>> {
        self.number(key, "a number of at least 0", |number| number >= 0.0)
    }

    /// `lr`, which has no default.
    pub fn rate(&self) -> Result<f64> {
        self.at_least_0("lr")?.ok_or_else(|| self.error("lr", "is missing, must be a learning rate"))
    }

    /// True or false.
    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        self.read(key, "true or false", Value::as_bool)
    }

    /// A whole number of at least `least`.
    pub fn whole(&self, key: &str, least: u64) -> Result<Option<u64>> {
        self.read(key, &format!("a whole number of at least {least}"), |value| {
            whole(value).filter(|n| *n >= least)
        })
    }

    /// Two numbers for which `fits` holds.
    pub fn pair(&self, key: &str, wanted: &str, fits: impl Fn(f64) -> bool) -> Result<Option<[f64; 2]>> {
        self.read(key, wanted, |value| match value.as_array().map(Vec::as_slice) {
            Some([a, b]) => Some([a.as_f64().filter(|n| fits(*n))?, b.as_f64().filter(|n| fits(*n))?]),
            _ => None,
        })
    }

    /// A list of strings.
    pub fn strings(&self, key: &str) -> Result<Option<Vec<String>>> {
        self.read(key, "a list of strings", |value| {
            value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        })
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let found = choices.iter().find(|(word, _)| value.as_str() == Some(word));
        match found {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                Err(self
                    .error(key, not_among(value, &choices.iter().map(|(word, _)| *word).collect::<Vec<_>>())))
            }
        }
    }
}

/// "is X, must be one of …" with a did-you-mean.
pub(crate) fn not_among(value: &Value, words: &[&str]) -> String {
    let list = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
    let hint = value.as_str().map(|word| suggestion(word, words)).unwrap_or_default();
    format!("is {}, must be one of {list}{hint}", short(value))
}

/// A whole number, also where JSON has it as 8000.0.
fn whole(value: &Value) -> Option<u64> {
    let float = || value.as_f64().filter(|n| n.fract() == 0.0 && (0.0..9.0e15).contains(n)).map(|n| n as u64);
    value.as_u64().or_else(float)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn short(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        _ => value.to_string(),
    }
}

/// `; did you mean 'x'?` for the nearest of `known`, or what there is.
fn suggestion(word: &str, known: &[&str]) -> String {
    let near = known.iter().map(|k| (distance(&word.to_lowercase(), &k.to_lowercase()), *k)).min();
    match near {
        Some((distance, known)) if distance <= 1 + known.len() / 4 => format!("; did you mean '{known}'?"),
        _ => format!("; there are {}", known.join(", ")),
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
