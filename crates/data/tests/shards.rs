//! Datasets in several files, and the order in which a loader reads them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::sync::Arc;

use sagetrain_data::translation::{PrepareOptions, prepare};
use sagetrain_data::{Dataset, Loader, LoaderOptions};
use support::small;

/// The embedded test part in shards of at most 100: 426 pairs, five shards.
fn sharded(folder: &std::path::Path) -> PrepareOptions {
    PrepareOptions { shard_samples: Some(100), ..small(folder) }
}

#[test]
fn shards_hold_every_sample_once_as_one_file_does() {
    let folder = tempfile::tempdir().unwrap();
    let prepared = prepare(&sharded(folder.path())).unwrap();
    let part = &prepared.parts["train"];
    assert_eq!((part.shards, part.samples, part.file.as_str()), (5, 426, "train"));
    let dataset = Dataset::open(&prepared.train).unwrap();
    dataset.verify().unwrap();
    let whole = Dataset::open(&prepare(&small(folder.path())).unwrap().train).unwrap();
    assert_eq!(dataset.columns(), whole.columns());
    let all = |dataset: &Dataset| {
        let mut rows: Vec<_> =
            (0..dataset.len()).map(|index| format!("{:?}", dataset.sample(index).unwrap())).collect();
        rows.sort();
        rows
    };
    assert_eq!(all(&dataset), all(&whole));
    let paths: Vec<_> =
        (0..5).map(|shard| prepared.train.join(format!("train-{shard:05}.dataset"))).collect();
    let listed = Dataset::open_shards(&paths).unwrap();
    assert_eq!(listed.fingerprint(), dataset.fingerprint());
    assert_eq!(all(&Dataset::open_shards(&paths[..2]).unwrap()).len(), 171);
    assert!(prepare(&sharded(folder.path())).unwrap().reused);
}

#[test]
fn an_epoch_goes_through_the_shards_one_after_the_other_in_an_order_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(Dataset::open(&prepare(&sharded(folder.path())).unwrap().train).unwrap());
    let starts = [0, 86, 171, 256, 341, 426];
    let shard_of = |sample: u64| starts.iter().rposition(|start| *start <= sample).unwrap();
    let options =
        LoaderOptions { max_tokens: Some(400), seed: 3, pool: 40, epochs: Some(2), ..Default::default() };
    let loader = Loader::new(dataset.clone(), options.clone()).unwrap();
    let visits = |epoch| {
        let plan = loader.plan(epoch);
        let mut shards = Vec::new();
        for batch in plan.batches() {
            let own = shard_of(batch[0]);
            assert!(batch.iter().all(|sample| shard_of(*sample) == own), "a batch lies in one shard");
            if shards.last() != Some(&own) {
                shards.push(own);
            }
        }
        let mut seen: Vec<_> = plan.batches().flatten().collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..426).collect::<Vec<_>>());
        shards
    };
    let (first, second) = (visits(0), visits(1));
    assert_eq!((first.len(), second.len()), (5, 5), "each shard is visited once");
    assert_ne!(first, second);
    let all: Vec<_> = Loader::new(dataset.clone(), options.clone()).unwrap().map(Result::unwrap).collect();
    for at in [0, 7, all.len() / 2, all.len() - 1] {
        let state = all[at].position;
        let mut resumed = Loader::new(dataset.clone(), LoaderOptions { state, ..options.clone() }).unwrap();
        assert_eq!(resumed.next().unwrap().unwrap(), all[at], "two numbers are the whole position");
    }
}

#[test]
fn without_shuffling_shards_are_read_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(Dataset::open(&prepare(&sharded(folder.path())).unwrap().train).unwrap());
    let options = LoaderOptions { sort_by_length: false, ..LoaderOptions::sequential(500) };
    let samples: Vec<_> =
        Loader::new(dataset, options).unwrap().flat_map(|batch| batch.unwrap().indices).collect();
    assert_eq!(samples, (0..426).collect::<Vec<_>>());
}

#[test]
fn a_missing_damaged_or_foreign_shard_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let prepared = prepare(&sharded(folder.path())).unwrap();
    let shard = |index: usize| prepared.train.join(format!("train-{index:05}.dataset"));
    let kept = fs::read(shard(2)).unwrap();
    let refusal = || {
        let error = Dataset::open(&prepared.train).and_then(|dataset| dataset.verify()).unwrap_err();
        assert_eq!(error.code(), "ERR_DATASET");
        error.to_string()
    };
    fs::write(shard(2), &kept[..kept.len() - 1]).unwrap();
    assert!(refusal().contains("train-00002.dataset"));
    let mut flipped = kept.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(shard(2), flipped).unwrap();
    assert!(refusal().contains("train-00002.dataset"));
    fs::write(shard(2), fs::read(shard(3)).unwrap()).unwrap();
    assert!(refusal().contains("it is not shard 2"));
    support::example().write(&shard(2), serde_json::Value::Null).unwrap();
    assert!(refusal().contains("its columns are not those"));
    fs::remove_file(shard(2)).unwrap();
    assert!(refusal().contains("it has 4 shards of 5"));
    let error = prepare(&sharded(folder.path())).unwrap_err();
    assert!(error.to_string().contains("delete the folder"), "{error}");
    let options = PrepareOptions { shard_samples: Some(2), ..small(folder.path()) };
    assert!(prepare(&options).unwrap_err().to_string().contains("shardSamples"));
    let left = fs::read_dir(&options.output).unwrap().map(|entry| entry.unwrap().path());
    let work: Vec<_> = left.filter(|path| path.to_string_lossy().ends_with(".work")).collect();
    let survey = |work: &std::path::Path| fs::metadata(work.join("blocks/train.survey")).unwrap();
    assert!(survey(&work[0]).is_file(), "what is done is kept");
    let prepared = prepare(&PrepareOptions { shard_samples: Some(3), ..options }).unwrap();
    assert_eq!(prepared.parts["train"].shards, 142);
    assert!(!work[0].exists(), "and gone on with");
}
