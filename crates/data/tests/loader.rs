//! The loader: its order, its batches, its resumption and its end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sagetrain_data::{Batch, Column, Dataset, Loader, LoaderOptions, LoaderState};

/// `samples` pairs with lengths 1..=30, every id naming its sample.
fn pairs(samples: usize) -> Arc<Dataset> {
    let rows = |factor: usize| {
        Column::ragged((0..samples).map(move |sample| vec![sample as i32; 1 + sample * factor % 30]))
    };
    Arc::new(Dataset::from_columns(vec![("source".into(), rows(7)), ("target".into(), rows(11))]).unwrap())
}

fn shuffled(max_tokens: usize) -> LoaderOptions {
    LoaderOptions { max_tokens: Some(max_tokens), seed: 5, epochs: Some(3), ..Default::default() }
}

fn batches(dataset: &Arc<Dataset>, options: LoaderOptions) -> Vec<Batch> {
    Loader::new(dataset.clone(), options).unwrap().collect::<Result<_, _>>().unwrap()
}

fn longest(batch: &Batch) -> usize {
    let rows = batch.columns.iter().map(|(_, column)| match column {
        Column::Ragged { offsets, .. } => offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max(),
        Column::Dense { .. } => None,
    });
    rows.flatten().max().unwrap()
}

#[test]
fn every_epoch_holds_every_sample_once_within_the_budget() {
    let dataset = pairs(1000);
    let batches = batches(&dataset, shuffled(200));
    for epoch in 0..3 {
        let epoch: Vec<_> = batches.iter().filter(|batch| batch.position.epoch == epoch).collect();
        let seen: Vec<u64> = epoch.iter().flat_map(|batch| batch.indices.clone()).collect();
        assert_eq!(seen.len(), 1000);
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), 1000);
        assert!(epoch.iter().all(|batch| longest(batch) * batch.samples <= 200));
        let mean = epoch.iter().map(|batch| longest(batch) * batch.samples).sum::<usize>() / epoch.len();
        assert!(mean > 180, "batches are filled to {mean} of 200");
    }
}

#[test]
fn a_batch_holds_the_rows_that_its_indices_name() {
    for batch in batches(&pairs(300), shuffled(100)) {
        assert_eq!(batch.samples, batch.indices.len());
        let target = batch.column("target").unwrap();
        let Column::Ragged { values, .. } = target else { panic!("{target:?}") };
        assert_eq!(batch.tokens, values.len());
        for (row, index) in batch.indices.iter().enumerate() {
            let expected = vec![*index as i32; 1 + *index as usize * 11 % 30];
            assert_eq!(target.row(row), Some(sagetrain_data::Row::Ragged(&expected)));
        }
    }
}

#[test]
fn the_order_depends_on_seed_and_epoch_and_not_on_prefetch() {
    let dataset = pairs(500);
    let order = |seed, prefetch| {
        let options = LoaderOptions { seed, prefetch, ..shuffled(150) };
        batches(&dataset, options).into_iter().map(|batch| batch.indices).collect::<Vec<_>>()
    };
    assert_eq!(order(1, 0), order(1, 3));
    assert_ne!(order(1, 0), order(2, 0));
    let epochs: Vec<_> =
        (0..2).map(|epoch| Loader::new(dataset.clone(), shuffled(150)).unwrap().plan(epoch)).collect();
    assert_ne!(epochs[0], epochs[1]);
}

#[test]
fn a_loader_resumed_after_any_batch_goes_on_as_if_undisturbed() {
    let dataset = pairs(200);
    let whole = batches(&dataset, shuffled(150));
    for (index, batch) in whole.iter().enumerate() {
        let rest =
            batches(&dataset, LoaderOptions { state: batch.next, prefetch: index % 3, ..shuffled(150) });
        assert_eq!(rest, whole[index + 1..], "after batch {index}");
    }
}

#[test]
fn state_is_that_of_the_batch_handed_out_and_not_of_those_gathered_ahead() {
    let mut loader = Loader::new(pairs(200), shuffled(150)).unwrap();
    assert_eq!(loader.state(), LoaderState::default());
    let first = loader.next().unwrap().unwrap();
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(loader.state(), first.next);
    assert_eq!(first.next, LoaderState { epoch: 0, batch: 1 });
}

#[test]
fn the_plan_is_what_the_loader_hands_out() {
    let dataset = pairs(400);
    let loader = Loader::new(dataset.clone(), shuffled(120)).unwrap();
    let planned: Vec<_> = (0..3).flat_map(|epoch| loader.plan(epoch).batches().collect::<Vec<_>>()).collect();
    let handed: Vec<_> = loader.map(|batch| batch.unwrap().indices).collect();
    assert_eq!(planned, handed);
}

#[test]
fn without_shuffle_the_samples_come_in_order_or_by_length() {
    let dataset = pairs(300);
    let order =
        |options| batches(&dataset, options).into_iter().flat_map(|batch| batch.indices).collect::<Vec<_>>();
    assert_eq!(order(LoaderOptions::sequential(64)), (0..300).collect::<Vec<_>>());
    let sorted = batches(&dataset, LoaderOptions { sort_by_length: true, ..LoaderOptions::sequential(64) });
    let lengths: Vec<_> = sorted.iter().map(longest).collect();
    assert!(lengths.is_sorted());
    assert!(sorted.len() < batches(&dataset, LoaderOptions::sequential(64)).len());
}

#[test]
fn batches_of_a_fixed_size_end_with_a_smaller_one_unless_it_is_dropped() {
    let dataset = pairs(10);
    let sizes = |drop_last| {
        let options = LoaderOptions { batch_size: Some(4), drop_last, epochs: Some(1), ..Default::default() };
        batches(&dataset, options).iter().map(|batch| batch.samples).collect::<Vec<_>>()
    };
    assert_eq!(sizes(false), [4, 4, 2]);
    assert_eq!(sizes(true), [4, 4]);
}

#[test]
fn max_samples_caps_a_batch_of_short_rows() {
    let options = LoaderOptions { max_samples: Some(3), ..shuffled(200) };
    assert!(batches(&pairs(100), options).iter().all(|batch| batch.samples <= 3));
}

#[test]
fn empty_rows_do_not_fill_a_batch_without_end() {
    let rows = Column::ragged((0..100).map(|_| []));
    let dataset = Arc::new(Dataset::from_columns(vec![("x".into(), rows)]).unwrap());
    assert!(batches(&dataset, shuffled(10)).iter().all(|batch| batch.samples <= 10));
}

#[test]
fn a_small_pool_sorts_less_and_still_holds_every_sample() {
    let options = LoaderOptions { pool: 50, epochs: Some(1), ..shuffled(150) };
    let indices: BTreeSet<_> =
        batches(&pairs(220), options).into_iter().flat_map(|batch| batch.indices).collect();
    assert_eq!(indices.len(), 220);
}

#[test]
fn a_sample_longer_than_a_batch_is_named_before_anything_starts() {
    let error = Loader::new(pairs(100), shuffled(29)).unwrap_err();
    assert_eq!(error.code(), "ERR_DATA");
    assert!(error.to_string().contains("sample 17 has 30 tokens in column `source`"), "{error}");
}

#[test]
fn options_that_cannot_be_meant_are_refused_by_name() {
    let none = LoaderOptions::default();
    let tokens = shuffled(100);
    let cases = [
        ("maxTokens", none.clone()),
        ("batchSize", LoaderOptions { batch_size: Some(4), ..tokens.clone() }),
        ("batchSize", LoaderOptions { batch_size: Some(0), ..none.clone() }),
        ("maxSamples", LoaderOptions { batch_size: Some(4), max_samples: Some(4), ..none.clone() }),
        ("dropLast", LoaderOptions { drop_last: true, ..tokens.clone() }),
        ("sortByLength", LoaderOptions { sort_by_length: true, ..tokens.clone() }),
        ("prefetch", LoaderOptions { prefetch: 1_000_000_000, ..tokens.clone() }),
        ("pool", LoaderOptions { pool: 0, ..tokens }),
    ];
    for (option, options) in cases {
        let error = Loader::new(pairs(10), options).unwrap_err();
        assert_eq!(error.code(), "ERR_ARGUMENT");
        assert!(error.to_string().contains(&format!("`{option}`")), "{error}");
    }
}

#[test]
fn a_position_past_its_epoch_is_refused() {
    let state = LoaderState { epoch: 0, batch: 10_000 };
    let error = Loader::new(pairs(100), LoaderOptions { state, ..shuffled(100) }).unwrap_err();
    assert_eq!(error.code(), "ERR_STATE");
}

#[test]
fn no_batch_at_all_is_an_error_and_not_an_endless_loop() {
    let options = LoaderOptions { batch_size: Some(64), drop_last: true, ..Default::default() };
    assert_eq!(Loader::new(pairs(10), options).unwrap_err().code(), "ERR_DATA");
}

#[test]
fn dropping_an_endless_loader_ends_its_thread_at_once() {
    let dataset = pairs(5000);
    let loader = Loader::new(dataset.clone(), LoaderOptions { epochs: None, ..shuffled(400) }).unwrap();
    let start = Instant::now();
    drop(loader);
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(Arc::strong_count(&dataset), 1, "the thread still holds the dataset");
}

#[test]
fn waiting_is_counted_and_gathering_ahead_hides_it() {
    let mut loader = Loader::new(pairs(5000), shuffled(1000)).unwrap();
    assert_eq!(loader.wait(), 0.0);
    loader.next();
    let first = loader.wait();
    assert!(first > 0.0);
    std::thread::sleep(Duration::from_millis(300));
    loader.next();
    assert!(loader.wait() - first < 0.1, "waited {} s for a batch that was ready", loader.wait() - first);
}

#[test]
fn polling_gives_the_same_batches_and_says_when_there_is_none_yet() {
    let dataset = pairs(300);
    for prefetch in [0, 3] {
        let options = LoaderOptions { prefetch, ..shuffled(100) };
        let mut loader = Loader::new(dataset.clone(), options.clone()).unwrap();
        let mut polled = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match loader.try_next() {
                Some(Some(batch)) => polled.push(batch.unwrap()),
                Some(None) => break,
                None => assert!(Instant::now() < deadline, "the loader's thread gives nothing"),
            }
        }
        assert_eq!(polled, batches(&dataset, options));
        assert_eq!(loader.state(), polled.last().unwrap().next);
        assert!(matches!(loader.try_next(), Some(None)));
    }
}
