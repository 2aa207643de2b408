//! Published archives in miniature, packed or unpacked in a folder, and the lines that the scripts make of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sagetrain_data::Result;
use sagetrain_data::text::CorpusFiles;
use sagetrain_data::translation::{Recipe, RecipeCorpora};
use serde_json::Value;

pub type Members = BTreeMap<String, Vec<u8>>;

pub fn golden(recipe: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/recipes/recipes.json.gz");
    serde_json::from_str::<Value>(&super::gunzip(&path)).unwrap()[recipe].take()
}

pub fn archives(recipe: &str) -> BTreeMap<String, Members> {
    let archives: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_value(golden(recipe)["archives"].take()).unwrap();
    let bytes = |(name, text): (String, String)| (name, text.into_bytes());
    archives.into_iter().map(|(name, members)| (name, members.into_iter().map(bytes).collect())).collect()
}

pub fn pack(members: &Members) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// A folder with the published archives, and one to work in.
pub struct Folders {
    pub data: tempfile::TempDir,
    pub output: tempfile::TempDir,
}

impl Folders {
    pub fn new() -> Self {
        Self { data: tempfile::tempdir().unwrap(), output: tempfile::tempdir().unwrap() }
    }

    pub fn packed(archives: &BTreeMap<String, Members>) -> Self {
        let folders = Self::new();
        for (name, members) in archives {
            std::fs::write(folders.data.path().join(name), pack(members)).unwrap();
        }
        folders
    }

    pub fn unpacked(archives: &BTreeMap<String, Members>) -> Self {
        let folders = Self::new();
        for (name, bytes) in archives.values().flatten() {
            let path = folders.data.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        folders
    }

    pub fn assemble(&self, recipe: &str) -> Result<RecipeCorpora> {
        Recipe::named(recipe)?.assemble(self.data.path(), self.output.path(), 2, &())
    }

    pub fn refusal(&self, recipe: &str) -> String {
        let error = self.assemble(recipe).unwrap_err();
        assert_eq!(error.code(), "ERR_DATA", "{error}");
        let left = std::fs::read_dir(self.output.path()).unwrap();
        let left: Vec<PathBuf> =
            left.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
        assert!(left.is_empty(), "{left:?} was left behind");
        error.to_string()
    }
}

pub fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().split_terminator('\n').map(str::to_owned).collect()
}

pub fn sides(files: &CorpusFiles) -> [Vec<String>; 2] {
    [&files.source, &files.target].map(|side| lines(side.as_deref().unwrap()))
}

pub fn compare(corpora: &RecipeCorpora, expected: &Value) {
    let parts =
        [("train", Some(&corpora.train)), ("valid", corpora.valid.as_ref()), ("test", corpora.test.as_ref())];
    for (part, files) in parts {
        let expected: Option<[Vec<String>; 2]> =
            expected.get(part).map(|sides| serde_json::from_value(sides.clone()).unwrap());
        assert_eq!(files.map(sides), expected, "{part}");
    }
}

pub const RECIPES: [&str; 2] = ["iwslt14-de-en", "wmt16-en-de"];
