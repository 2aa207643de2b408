//! What a search is asked for.

use crate::error::TrainerError;
use sagetrain_models::Ragged;

/// A source to translate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Ids with `</s>`.
    pub source: Vec<i32>,
    /// Ids that the output has to begin with.
    pub prefix: Vec<i32>,
    /// The source's place among all, which sampling draws by and errors name.
    pub position: u64,
}

impl Request {
    /// Sources in their order, nothing forced.
    pub fn all(sources: Vec<Vec<i32>>) -> Vec<Self> {
        let one = |(position, source)| Self { source, prefix: Vec::new(), position };
        (0..).zip(sources).map(one).collect()
    }

    /// Refuses a prefix that no output can have: ids that do not exist, that end or start it, or more than `longest` − 1.
    pub(super) fn check(
        &self,
        vocabulary: usize,
        excluded: [i64; 2],
        longest: usize,
    ) -> Result<(), TrainerError> {
        let refuse = |message| Err(TrainerError::Prefix { sentence: self.position, message });
        let bad =
            |id: i32| !(0..vocabulary as i64).contains(&i64::from(id)) || excluded.contains(&i64::from(id));
        if let Some(&id) = self.prefix.iter().find(|&&id| bad(id)) {
            return refuse(format!("token {id} of its prefix is none that an output can begin with"));
        }
        if self.prefix.len() >= longest {
            let length = self.prefix.len();
            return refuse(format!(
                "its prefix has {length} tokens, but the longest output has {longest} with its </s>; raise maxLengthExtra"
            ));
        }
        Ok(())
    }
}

/// The sources, packed.
pub(super) fn ragged(requests: &[&Request]) -> Result<Ragged, TrainerError> {
    let mut offsets = vec![0_i64];
    for request in requests {
        offsets.push(offsets[offsets.len() - 1] + request.source.len() as i64);
    }
    let values: Vec<i32> = requests.iter().flat_map(|request| request.source.iter().copied()).collect();
    Ok(Ragged::new("source", &values, &offsets)?)
}
