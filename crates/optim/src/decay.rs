//! `decay` of an optimizer's spec: where weight decay enters.

use crate::error::Result;
use crate::fields::Fields;
use sagetrain_kernels::Decay;
use serde::Serializer;

const DECAYS: [(&str, Decay); 3] =
    [("coupled", Decay::Coupled), ("decoupled", Decay::Decoupled), ("modulated", Decay::Modulated)];

/// The word of a spec, where one is given.
pub(crate) fn read(fields: &Fields<'_>) -> Result<Option<Decay>> {
    fields.choice("decay", &DECAYS)
}

/// A decay as its word.
pub(crate) fn write<S: Serializer>(decay: &Decay, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let word = DECAYS.iter().find(|(_, known)| known == decay).map_or("decoupled", |(word, _)| word);
    serializer.serialize_str(word)
}

/// The same of a decay that may be out of the user's hands.
pub(crate) fn write_option<S: Serializer>(
    decay: &Option<Decay>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    match decay {
        Some(decay) => write(decay, serializer),
        None => serializer.serialize_none(),
    }
}
