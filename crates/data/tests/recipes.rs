//! Recipes on published archives in miniature; `golden/recipes/recipes.py` says how they and the outcome came about.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use sagetrain_data::DataError;
use sagetrain_data::translation::Recipe;

use support::published::{Folders, Members, RECIPES, archives, compare, golden, pack, sides};

#[test]
fn archives_become_the_lines_that_the_scripts_make_of_them() {
    for recipe in RECIPES {
        let folders = Folders::packed(&archives(recipe));
        let corpora = folders.assemble(recipe).unwrap();
        assert!(!corpora.reused);
        compare(&corpora, &golden(recipe)["plain"]);
    }
}

#[test]
fn unpacked_archives_give_the_same() {
    for recipe in RECIPES {
        let folders = Folders::unpacked(&archives(recipe));
        compare(&folders.assemble(recipe).unwrap(), &golden(recipe)["plain"]);
    }
}

#[test]
fn what_was_made_is_used_again_until_an_archive_changes() {
    let mut archives = archives("iwslt14-de-en");
    let folders = Folders::packed(&archives);
    let first = folders.assemble("iwslt14-de-en").unwrap();
    let again = folders.assemble("iwslt14-de-en").unwrap();
    assert_eq!((first.train.clone(), true), (again.train, again.reused));
    let members = archives.get_mut("de-en.tgz").unwrap();
    for language in ["de", "en"] {
        members.get_mut(&format!("de-en/train.tags.de-en.{language}")).unwrap().extend(b"One more.\n");
    }
    std::fs::write(folders.data.path().join("de-en.tgz"), pack(members)).unwrap();
    let other = folders.assemble("iwslt14-de-en").unwrap();
    assert!(!other.reused && other.train != first.train);
    assert_eq!(sides(&other.train)[0].len(), sides(&first.train)[0].len() + 1);
}

#[test]
fn a_missing_archive_is_named_with_where_it_is_published() {
    let mut some = archives("wmt16-en-de");
    some.remove("training-parallel-commoncrawl.tgz");
    some.remove("dev.tgz");
    let folders = Folders::packed(&some);
    let message = folders.refusal("wmt16-en-de");
    for word in ["training-parallel-commoncrawl.tgz", "http://www.statmt.org/wmt13/", "dev.tgz"] {
        assert!(message.contains(word), "{message}");
    }
    assert!(
        message.contains(&*folders.data.path().to_string_lossy()) && !message.contains("europarl"),
        "{message}"
    );
}

#[test]
fn a_missing_member_is_named() {
    let mut all = archives("iwslt14-de-en");
    all.get_mut("de-en.tgz").unwrap().remove("de-en/IWSLT14.TED.tst2011.de-en.en.xml");
    for folders in [Folders::packed(&all), Folders::unpacked(&all)] {
        let message = folders.refusal("iwslt14-de-en");
        assert!(
            message.contains("IWSLT14.TED.tst2011.de-en.en.xml") && message.contains("fbaipublicfiles"),
            "{message}"
        );
    }
}

#[test]
fn an_archive_that_is_cut_off_or_no_archive_is_refused() {
    let whole = pack(&archives("iwslt14-de-en")["de-en.tgz"]);
    let damaged = [&whole[..whole.len() / 2], &whole[..40], b"<html>404</html>", b""];
    for bytes in damaged {
        let folders = Folders::new();
        std::fs::write(folders.data.path().join("de-en.tgz"), bytes).unwrap();
        let message = folders.refusal("iwslt14-de-en");
        assert!(message.contains("de-en.tgz") && message.contains("fetch it again"), "{message}");
    }
}

#[test]
fn damage_within_a_member_is_named_by_member_and_line() {
    let mut all = archives("iwslt14-de-en");
    let text = all.get_mut("de-en.tgz").unwrap().get_mut("de-en/train.tags.de-en.en").unwrap();
    let third = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
    text[third + 2] = 0xff;
    let message = Folders::packed(&all).refusal("iwslt14-de-en");
    assert!(message.contains("train.tags.de-en.en:3: byte 3 of the line is not UTF-8"), "{message}");
    let message = Folders::unpacked(&all).refusal("iwslt14-de-en");
    assert!(message.contains("train.tags.de-en.en:3: byte 3 of the line is not UTF-8"), "{message}");
}

#[test]
fn sides_of_unequal_length_are_refused_with_both_numbers() {
    let mut all = archives("wmt16-en-de");
    let members = all.get_mut("training-parallel-nc-v11.tgz").unwrap();
    members
        .get_mut("training-parallel-nc-v11/news-commentary-v11.de-en.de")
        .unwrap()
        .extend(b"Noch einer.\n");
    let message = Folders::packed(&all).refusal("wmt16-en-de");
    assert!(message.contains("news-commentary-v11.de-en.en has 60 sentences"), "{message}");
    assert!(message.contains("news-commentary-v11.de-en.de 61"), "{message}");
}

#[test]
fn a_segment_that_is_never_closed_is_refused() {
    let mut all = archives("wmt16-en-de");
    let member = "dev/newstest2014-deen-src.de.sgm";
    all.get_mut("dev.tgz").unwrap().insert(member.into(), b"<doc>\n<seg id=\"1\">\nOffen\n".to_vec());
    let message = Folders::packed(&all).refusal("wmt16-en-de");
    assert!(message.contains("newstest2014-deen-src.de.sgm:3: it ends within a <seg>"), "{message}");
}

#[test]
fn newstests_are_found_in_their_other_places() {
    let mut all = archives("wmt16-en-de");
    let folders = Folders::packed(&all);
    let expected = folders.assemble("wmt16-en-de").unwrap();
    let expected = (sides(&expected.valid.unwrap()), sides(&expected.test.unwrap()));
    let dev = all.get_mut("dev.tgz").unwrap();
    let mut full = Members::new();
    for (from, to) in [("ref.en", "src.en"), ("src.de", "ref.de")] {
        let bytes = dev.remove(&format!("dev/newstest2014-deen-{from}.sgm")).unwrap();
        full.insert(format!("test-full/newstest2014-deen-{to}.sgm"), bytes);
    }
    for (from, to) in [("en", "src.en"), ("de", "ref.de")] {
        let text = String::from_utf8(dev.remove(&format!("dev/newstest2013.{from}")).unwrap()).unwrap();
        let segments = text.lines().map(|line| format!("<seg id=\"1\">{line}</seg>\n")).collect::<String>();
        dev.insert(format!("dev/newstest2013-{to}.sgm"), segments.into_bytes());
    }
    let message = Folders::packed(&all).refusal("wmt16-en-de");
    assert!(message.contains("newstest2014-deen-ref.en.sgm"), "{message}");
    all.insert("test-full.tgz".into(), full);
    let folders = Folders::packed(&all);
    let found = folders.assemble("wmt16-en-de").unwrap();
    let squeezed =
        |sides: [Vec<String>; 2]| sides.map(|side| side.iter().map(|line| words(line)).collect::<Vec<_>>());
    assert_eq!(sides(&found.test.unwrap()), expected.1);
    assert_eq!(sides(&found.valid.unwrap()), squeezed(expected.0));
}

fn words(line: &str) -> String {
    line.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn recipes_and_folders_are_refused_by_name() {
    let error = Recipe::named("wmt15").unwrap_err();
    assert!(matches!(error, DataError::Argument { option: "recipe", .. }));
    assert!(error.to_string().contains("iwslt14-de-en, wmt16-en-de"), "{error}");
    let folders = Folders::new();
    let missing = folders.data.path().join("missing");
    let error = Recipe::all()[0].assemble(&missing, folders.output.path(), 2, &()).unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("missing")), ("ERR_DATA", true));
}
