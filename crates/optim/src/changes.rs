//! What options have become since a state was saved, key by key.

use serde_json::Value;

/// A key with another value.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its dotted path, such as `optimizer.sage.beta0` or `groups[0].lr`.
    pub key: String,
    /// The saved value; null where there was none.
    pub before: Value,
    /// The value there is; null where there is none.
    pub now: Value,
}

impl std::fmt::Display for Change {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {} → {}", self.key, shown(&self.before), shown(&self.now))
    }
}

/// A value as a message has it; what is left out is at its default.
pub fn shown(value: &Value) -> String {
    if value.is_null() { "the default".to_owned() } else { value.to_string() }
}

/// Every key that differs, in the order of the keys; those whose path is among `free` and all below them are passed over. Of two kinds
/// of a thing (its `type`) the whole is one change, and so is a list that has become longer or shorter.
pub fn changes(before: &Value, now: &Value, free: &[&str]) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", before, now, free, &mut found);
    found
}

fn compare(path: &str, before: &Value, now: &Value, free: &[&str], found: &mut Vec<Change>) {
    if before == now || free.contains(&path) {
        return;
    }
    match (before, now) {
        (Value::Object(old), Value::Object(new)) if old.get("type") == new.get("type") => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, &before[key], &now[key], free, found);
            }
        }
        (Value::Array(old), Value::Array(new))
            if old.len() == new.len() && old.iter().all(Value::is_object) =>
        {
            for (index, (before, now)) in old.iter().zip(new).enumerate() {
                compare(&format!("{path}[{index}]"), before, now, free, found);
            }
        }
        _ => found.push(Change { key: path.to_owned(), before: before.clone(), now: now.clone() }),
    }
}
