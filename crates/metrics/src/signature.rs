//! sacreBLEU's signature strings, by which a score says how it was computed.

/// The sacreBLEU release whose definitions (and signature) the scores follow.
pub const SACREBLEU_VERSION: &str = "2.6.0";

/// `nrefs:1[|bs:N|seed:S]|<settings>|version:V`, keys in sacreBLEU's order; `bootstrap` is (resamples, seed).
pub(crate) fn signature(settings: &str, bootstrap: Option<(usize, u64)>) -> String {
    let resampling = bootstrap.map(|(n, seed)| format!("|bs:{n}|seed:{seed}")).unwrap_or_default();
    format!("nrefs:1{resampling}|{settings}|version:{SACREBLEU_VERSION}")
}
