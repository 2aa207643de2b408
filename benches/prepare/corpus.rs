//! Parallel text of any size from real sentences: pairs are joined, shortened and given new compounds, so that the number
//! of distinct words grows with the text as it does in real corpora.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// The embedded corpus, and the German-English ones that `SAGETRAIN_DATA` has.
fn sources() -> Vec<PathBuf> {
    let embedded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ts/task/translation/corpus/train.tsv.gz");
    let more = std::env::var_os("SAGETRAIN_DATA").map(|data| Path::new(&data).join("de-en"));
    let entries = more.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.map(|entry| entry.path()).collect();
    found.retain(|path| path.to_string_lossy().ends_with(".train.tsv.gz"));
    found.sort();
    found.insert(0, embedded);
    found
}

fn real() -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut pairs = Vec::new();
    for path in sources() {
        for line in BufReader::new(GzDecoder::new(File::open(path)?)).lines() {
            if let Some((source, target)) = line?.split_once('\t') {
                pairs.push((source.to_owned(), target.to_owned()));
            }
        }
    }
    Ok(pairs)
}

/// A stream of numbers that is the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ z >> 31) * bound as u128) >> 64) as usize
    }
}

/// A sentence with, now and then, a word that ends as another one does.
fn perturbed(text: &str, other: &str, numbers: &mut Numbers) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let others: Vec<&str> = other.split(' ').filter(|word| word.chars().count() > 3).collect();
    if others.is_empty() || numbers.below(4) > 0 {
        return text.to_owned();
    }
    let (at, tail) = (numbers.below(words.len()), others[numbers.below(others.len())].to_lowercase());
    let joined = [words[at], &tail].concat();
    words
        .iter()
        .enumerate()
        .map(|(index, word)| if index == at { &joined } else { *word })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Writes `pairs` pairs to `folder/source` and `folder/target`. Returns the bytes of text.
pub fn write(folder: &Path, pairs: usize) -> Result<u64, Box<dyn Error>> {
    let real = real()?;
    let mut numbers = Numbers(1);
    let create =
        |name| Ok::<_, std::io::Error>(BufWriter::with_capacity(1 << 20, File::create(folder.join(name))?));
    let (mut source, mut target) = (create("source")?, create("target")?);
    let mut bytes = 0;
    for _ in 0..pairs {
        // Two or three real sentences make WMT's mean of some 25 words.
        let chosen: Vec<_> = (0..2 + numbers.below(2)).map(|_| &real[numbers.below(real.len())]).collect();
        let other = &real[numbers.below(real.len())];
        let join = |side: fn(&(String, String)) -> &str| {
            chosen.iter().map(|pair| side(pair)).collect::<Vec<_>>().join(" ")
        };
        let german = perturbed(&join(|pair| &pair.0), &other.0, &mut numbers);
        let english = perturbed(&join(|pair| &pair.1), &other.1, &mut numbers);
        bytes += (german.len() + english.len() + 2) as u64;
        writeln!(source, "{german}")?;
        writeln!(target, "{english}")?;
    }
    source.flush()?;
    target.flush()?;
    Ok(bytes)
}
