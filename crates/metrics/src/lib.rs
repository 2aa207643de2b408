//! Scores and tests on plain slices and strings: BLEU, chrF, bootstrap.
