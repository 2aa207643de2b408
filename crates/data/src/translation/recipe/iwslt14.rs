//! IWSLT 2014, German to English: the steps of fairseq's `examples/translation/prepare-iwslt14.sh`.

use serde_json::{Value, json};

use super::format::Format::{Tagged, Xml};
use super::plan::{Archive, Choice, Piece, Plan};
use crate::preparation::held_out::Part;

pub(super) static PLAN: Plan = Plan {
    archives: &[Archive {
        names: &["de-en.tgz"],
        folders: &["de-en"],
        published: &[
            "http://dl.fbaipublicfiles.com/fairseq/data/iwslt14/de-en.tgz",
            "https://wit3.fbk.eu (2014-01, texts, de, en)",
        ],
    }],
    parts: &[(Part::Train, &[TRAIN]), (Part::Test, &[DEV2010, DEV2012, TST2010, TST2011, TST2012])],
    options,
};

const TRAIN: Piece =
    &[Choice { archive: 0, members: ["train.tags.de-en.de", "train.tags.de-en.en"], format: Tagged }];

const DEV2010: Piece = &[xml("IWSLT14.TED.dev2010.de-en.de.xml", "IWSLT14.TED.dev2010.de-en.en.xml")];
const DEV2012: Piece = &[xml("IWSLT14.TEDX.dev2012.de-en.de.xml", "IWSLT14.TEDX.dev2012.de-en.en.xml")];
const TST2010: Piece = &[xml("IWSLT14.TED.tst2010.de-en.de.xml", "IWSLT14.TED.tst2010.de-en.en.xml")];
const TST2011: Piece = &[xml("IWSLT14.TED.tst2011.de-en.de.xml", "IWSLT14.TED.tst2011.de-en.en.xml")];
const TST2012: Piece = &[xml("IWSLT14.TED.tst2012.de-en.de.xml", "IWSLT14.TED.tst2012.de-en.en.xml")];

const fn xml(source: &'static str, target: &'static str) -> Choice {
    Choice { archive: 0, members: [source, target], format: Xml }
}

/// Merges are learnt on both sides together, dictionaries are apart. 1,000 characters a word are what
/// `clean-corpus-n.perl` has where nobody says. 1,024 tokens are the most that fairseq reads.
fn options() -> Value {
    json!({
        "languages": { "source": "de", "target": "en" },
        "tokenization": "moses",
        "minWords": 1,
        "maxWords": 175,
        "maxRatio": 1.5,
        "maxWordLength": 1000,
        "lowercase": true,
        "heldOut": { "every": 23 },
        "vocabulary": { "type": "subword", "merges": 10_000, "joint": false },
        "maxLength": 1024,
    })
}
