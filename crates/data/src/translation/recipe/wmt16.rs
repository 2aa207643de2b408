//! WMT 2016, English to German: the steps of google/seq2seq's `bin/data/wmt16_en_de.sh`, or its outcome where that lies in
//! the folder.

use std::path::Path;

use serde_json::{Value, json};

use super::format::Format::{Plain, Sgm, Subwords};
use super::input::lies_in;
use super::plan::{Archive, Choice, Piece, Plan};
use crate::preparation::held_out::Part;

/// The prepared files first: whoever has them wants them.
pub(super) fn plan(data: &Path) -> &'static Plan {
    let prepared = PREPARED.archives.iter().any(|archive| lies_in(data, archive, TRAIN_PREPARED));
    if prepared { &PREPARED } else { &PUBLISHED }
}

static PUBLISHED: Plan = Plan {
    archives: &[
        Archive {
            names: &["training-parallel-europarl-v7.tgz", "europarl-v7-de-en.tgz"],
            folders: &["training", "training-parallel-europarl-v7", "europarl-v7-de-en"],
            published: &[
                "http://www.statmt.org/wmt13/training-parallel-europarl-v7.tgz",
                "http://www.statmt.org/europarl/v7/de-en.tgz (as europarl-v7-de-en.tgz)",
            ],
        },
        Archive {
            names: &["training-parallel-commoncrawl.tgz", "common-crawl.tgz"],
            folders: &["training-parallel-commoncrawl", "common-crawl"],
            published: &["http://www.statmt.org/wmt13/training-parallel-commoncrawl.tgz"],
        },
        Archive {
            names: &["training-parallel-nc-v11.tgz", "nc-v11.tgz"],
            folders: &["training-parallel-nc-v11", "nc-v11/training-parallel-nc-v11"],
            published: &["http://data.statmt.org/wmt16/translation-task/training-parallel-nc-v11.tgz"],
        },
        Archive {
            names: &["dev.tgz"],
            folders: &["dev", "dev/dev"],
            published: &["http://data.statmt.org/wmt16/translation-task/dev.tgz"],
        },
        Archive {
            names: &["test-full.tgz"],
            folders: &["test-full"],
            published: &["http://statmt.org/wmt14/test-full.tgz"],
        },
    ],
    parts: &[
        (Part::Train, &[EUROPARL, COMMON_CRAWL, NEWS_COMMENTARY]),
        (Part::Valid, &[NEWSTEST2013]),
        (Part::Test, &[NEWSTEST2014]),
    ],
    options,
};

const EUROPARL: Piece =
    &[Choice { archive: 0, members: ["europarl-v7.de-en.en", "europarl-v7.de-en.de"], format: Plain }];
const COMMON_CRAWL: Piece =
    &[Choice { archive: 1, members: ["commoncrawl.de-en.en", "commoncrawl.de-en.de"], format: Plain }];
const NEWS_COMMENTARY: Piece = &[Choice {
    archive: 2,
    members: ["news-commentary-v11.de-en.en", "news-commentary-v11.de-en.de"],
    format: Plain,
}];
const NEWSTEST2013: Piece = &[
    Choice { archive: 3, members: ["newstest2013.en", "newstest2013.de"], format: Plain },
    Choice { archive: 3, members: ["newstest2013-src.en.sgm", "newstest2013-ref.de.sgm"], format: Sgm },
];
const NEWSTEST2014: Piece = &[
    Choice {
        archive: 3,
        members: ["newstest2014-deen-ref.en.sgm", "newstest2014-deen-src.de.sgm"],
        format: Sgm,
    },
    Choice {
        archive: 4,
        members: ["newstest2014-deen-src.en.sgm", "newstest2014-deen-ref.de.sgm"],
        format: Sgm,
    },
];

/// `clean-corpus-n.perl` without `-ratio` has 9, and 1,000 characters a word. 1,024 tokens are the most that fairseq reads.
fn options() -> Value {
    json!({
        "languages": { "source": "en", "target": "de" },
        "tokenization": "moses",
        "minWords": 1,
        "maxWords": 80,
        "maxRatio": 9.0,
        "maxWordLength": 1000,
        "vocabulary": { "type": "subword", "merges": 32_000, "joint": true },
        "maxLength": 1024,
    })
}

const TRAIN_PREPARED: &str = "train.tok.clean.bpe.32000.en";

/// Tokenised and cleaned already; words are put together again, so that the merges can be learnt.
static PREPARED: Plan = Plan {
    archives: &[Archive {
        names: &["wmt16_en_de.tar.gz"],
        folders: &["wmt16_en_de", "wmt16_en_de_bpe32k"],
        published: &["google/seq2seq's documentation, data, WMT'16 EN-DE"],
    }],
    parts: &[
        (Part::Train, &[&[prepared(TRAIN_PREPARED, "train.tok.clean.bpe.32000.de")]]),
        (Part::Valid, &[&[prepared("newstest2013.tok.bpe.32000.en", "newstest2013.tok.bpe.32000.de")]]),
        (Part::Test, &[&[prepared("newstest2014.tok.bpe.32000.en", "newstest2014.tok.bpe.32000.de")]]),
    ],
    options: || {
        json!({
            "languages": { "source": "en", "target": "de" },
            "tokenization": "moses",
            "tokenized": true,
            "vocabulary": { "type": "subword", "merges": 32_000, "joint": true },
            "maxLength": 1024,
        })
    },
};

const fn prepared(source: &'static str, target: &'static str) -> Choice {
    Choice { archive: 0, members: [source, target], format: Subwords }
}
