//! What a session's options have become since a checkpoint was saved.

use crate::options::SessionOptions;
use serde_json::Value;

/// With another value of these the saved state means something else.
const BINDING: [&str; 4] = ["seed", "accumulate", "precision", "optimizer"];
/// Without effect on the trajectory, or compared elsewhere: threads with the machine, the scope by the names it selects.
const FREE: [&str; 4] = ["device", "threads", "optimizer.observe", "optimizer.sage.scope"];

/// A key with another value.
pub(super) struct Change {
    /// Its dotted path.
    pub(super) key: String,
    pub(super) before: Value,
    pub(super) now: Value,
}

impl Change {
    /// Whether the saved state cannot be continued under the new value.
    pub(super) fn is_binding(&self) -> bool {
        BINDING.contains(&self.key.as_str())
    }

    /// What is said where training goes on all the same.
    pub(super) fn warning(&self) -> String {
        let Self { key, before, now } = self;
        format!(
            "{key} changed from {before} to {now}: training goes on with the latter, and so on another course"
        )
    }
}

/// Every key that differs, in the options' order. Of two kinds of a thing (its `type`) the whole is one change. A total that no
/// schedule is stretched over may differ: so is a run made longer.
pub(super) fn changes(saved: &SessionOptions, now: &SessionOptions) -> Vec<Change> {
    let stretched = now.update.schedule.needs_total_steps();
    let mut found = Vec::new();
    compare("", &saved.clone().into(), &now.clone().into(), &mut found);
    found.retain(|change| stretched || change.key != "totalSteps");
    found
}

fn compare(path: &str, before: &Value, now: &Value, found: &mut Vec<Change>) {
    if before == now || FREE.contains(&path) {
        return;
    }
    match (before, now) {
        (Value::Object(old), Value::Object(new)) if old.get("type") == new.get("type") => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, &before[key], &now[key], found);
            }
        }
        _ => found.push(Change { key: path.to_owned(), before: before.clone(), now: now.clone() }),
    }
}
