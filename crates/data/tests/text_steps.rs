//! `text.json`: the steps that go with a model.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use sagetrain_data::translation::{Languages, PrepareOptions, TEXT_STEPS, TextSteps, Tokenization};

fn iwslt() -> TextSteps {
    TextSteps::of(&PrepareOptions {
        languages: Some(Languages { source: "de".into(), target: "en".into() }),
        tokenization: Tokenization::Moses,
        lowercase: true,
        ..Default::default()
    })
}

#[test]
fn sentences_go_through_the_steps_and_back() {
    let (source, target) = (iwslt().source().unwrap(), iwslt().target().unwrap());
    assert_eq!(source.process("Am 3. Mai: \"ÄPFEL\"."), "am 3. mai : &quot; äpfel &quot; .");
    assert_eq!(source.restore("am 3. mai : &quot; äpfel &quot; ."), "am 3. mai: \"äpfel\".");
    assert_eq!(target.process("It's A Fact."), "it &apos;s a fact .");
    assert_eq!(target.restore("it &apos;s a fact ."), "it's a fact.");
}

#[test]
fn a_folder_keeps_them_and_one_without_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let none = TextSteps::open(folder.path()).unwrap();
    assert_eq!(none, TextSteps::default());
    let text = "  As it is: \"Ä\"  ";
    assert_eq!(
        (none.source().unwrap().process(text), none.target().unwrap().restore(text)),
        (text.into(), text.into())
    );
    iwslt().save(folder.path()).unwrap();
    assert_eq!(TextSteps::open(folder.path()).unwrap(), iwslt());
}

#[test]
fn what_is_not_understood_is_refused_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(TEXT_STEPS);
    iwslt().save(folder.path()).unwrap();
    let sound = std::fs::read_to_string(&path).unwrap();
    let damaged = [
        String::new(),
        "{}".into(),
        sound.replace("\"schema\": 1", "\"schema\": 2"),
        sound.replace("moses", "spacy"),
        sound[..sound.len() / 2].into(),
        " ".repeat(1 << 17),
    ];
    for text in damaged {
        std::fs::write(&path, text).unwrap();
        let error = TextSteps::open(folder.path()).unwrap_err();
        assert_eq!(error.code(), "ERR_DATA");
        assert!(error.to_string().contains("text.json"), "{error}");
    }
}
