//! Packed sequences as padded ones and back: where each row goes, worked out on the device from a few numbers a sequence.

use std::cell::RefCell;
use std::rc::Rc;

use tch::{Device, Tensor};

use super::{count_up, numbers};
use crate::attention::AttentionLayout;
use crate::dropout::{GROUP, padded_keys};
use crate::error::TorchError;

/// As many layouts are remembered: those of a Transformer's step are three, whatever its depth.
const REMEMBERED: usize = 6;

/// Where the rows of an [`AttentionLayout`] lie when its sequences are padded to the longest.
pub(crate) struct Padding {
    key: Key,
    pub(crate) sequences: i64,
    /// The longest sequence of queries and of keys.
    pub(crate) longest: [i64; 2],
    /// The packed row of each padded query, `[sequences · longest]`; any row where there is none.
    pub(crate) queries: Tensor,
    /// The same of keys.
    pub(crate) keys: Tensor,
    /// The padded place of each packed query, `[queries]`.
    pub(crate) places: Tensor,
    /// What a query does not see: bool `[sequences, 1, queries or 1, keys]`.
    pub(crate) hidden: Tensor,
    /// Of each sequence the first element of its dropout mask, a head's elements and a query's: int64 `[sequences, 1, 1, 1]` each.
    mask_places: [Tensor; 3],
    mask_elements: i64,
}

#[derive(PartialEq)]
struct Key {
    query_offsets: Vec<i64>,
    key_offsets: Vec<i64>,
    heads: i64,
    causal: bool,
    device: Device,
}

thread_local! {
    static KNOWN: RefCell<Vec<Rc<Padding>>> = const { RefCell::new(Vec::new()) };
}

impl Padding {
    /// That of a layout, remembered for the layers to come.
    pub(crate) fn of(layout: &AttentionLayout, device: Device) -> Result<Rc<Self>, TorchError> {
        let AttentionLayout { query_offsets, key_offsets, heads, causal } = *layout;
        let (query_offsets, key_offsets) = (query_offsets.to_vec(), key_offsets.to_vec());
        let key = Key { query_offsets, key_offsets, heads, causal, device };
        KNOWN.with_borrow_mut(|known| {
            if let Some(found) = known.iter().find(|padding| padding.key == key) {
                return Ok(Rc::clone(found));
            }
            let made = Rc::new(Self::new(key)?);
            known.truncate(REMEMBERED - 1);
            known.insert(0, Rc::clone(&made));
            Ok(made)
        })
    }

    fn new(key: Key) -> Result<Self, TorchError> {
        let _no_grad = tch::no_grad_guard();
        let device = key.device;
        let (query_lengths, key_lengths) = (lengths(&key.query_offsets), lengths(&key.key_offsets));
        let longest = [&query_lengths, &key_lengths].map(|all| all.iter().copied().max().unwrap_or(0));
        let sequences = query_lengths.len() as i64;
        let mut mask = [Vec::new(), Vec::new(), Vec::new()];
        let mut elements = 0;
        for (&queries, &keys) in query_lengths.iter().zip(&key_lengths) {
            let head = ((queries * padded_keys(keys)) as u64).next_multiple_of(GROUP as u64) as i64;
            let of_sequence = [elements, head, padded_keys(keys)];
            mask.iter_mut().zip(of_sequence).for_each(|(all, one)| all.push(one));
            elements += key.heads * head;
        }
        let starts = [&key.query_offsets, &key.key_offsets].map(|offsets| &offsets[..offsets.len() - 1]);
        let [base, head, row] = &mask;
        let table =
            numbers(&[starts[0], &query_lengths, starts[1], &key_lengths, base, head, row].concat(), device)?;
        let of_sequence =
            |index: i64| table.f_narrow(0, index * sequences, sequences)?.f_view([sequences, 1]);
        let index = |start: i64, offsets: &[i64], longest| -> Result<Tensor, TorchError> {
            let rows = offsets.last().copied().unwrap_or(0);
            let index = of_sequence(start)?.f_add(&count_up(longest, device)?)?;
            Ok(index.f_clamp_max((rows - 1).max(0))?.f_flatten(0, 1)?)
        };
        let places = (0..).zip(&query_lengths);
        let places: Vec<i64> =
            places.flat_map(|(s, &length)| (0..length).map(move |i| s * longest[0] + i)).collect();
        let mask_place = |index| of_sequence(index)?.f_view([sequences, 1, 1, 1]);
        Ok(Self {
            sequences,
            longest,
            queries: index(0, &key.query_offsets, longest[0])?,
            keys: index(2, &key.key_offsets, longest[1])?,
            places: numbers(&places, device)?,
            hidden: hidden(&of_sequence(1)?, &of_sequence(3)?, longest, &key)?,
            mask_places: [mask_place(4)?, mask_place(5)?, mask_place(6)?],
            mask_elements: elements,
            key,
        })
    }

    /// Elements of the dropout mask of all probabilities.
    pub(crate) fn mask_elements(&self) -> i64 {
        self.mask_elements
    }

    /// The mask element of each padded probability, `[sequences, heads, queries, keys]`; any element where there is none.
    pub(crate) fn mask_index(&self) -> Result<Tensor, TorchError> {
        let [base, head, row] = &self.mask_places;
        let up = |count, shape: [i64; 4]| {
            count_up(count, self.key.device)?.f_view(shape).map_err(TorchError::from)
        };
        let heads = up(self.key.heads, [1, -1, 1, 1])?.f_mul(head)?.f_add(base)?;
        let queries = up(self.longest[0], [1, 1, -1, 1])?.f_mul(row)?;
        let keys = up(self.longest[1], [1, 1, 1, -1])?;
        Ok(heads.f_add(&queries)?.f_add(&keys)?.f_clamp_max((self.mask_elements - 1).max(0))?)
    }
}

fn lengths(offsets: &[i64]) -> Vec<i64> {
    offsets.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn hidden(queries: &Tensor, keys: &Tensor, longest: [i64; 2], key: &Key) -> Result<Tensor, TorchError> {
    let columns = count_up(longest[1], key.device)?; // [keys]
    let beyond = columns.f_ge_tensor(keys)?.f_unsqueeze(1)?.f_unsqueeze(1)?; // [sequences, 1, 1, keys]
    if !key.causal {
        return Ok(beyond);
    }
    let last = keys.f_sub(queries)?.f_add(&count_up(longest[0], key.device)?)?; // [sequences, queries]
    let later = columns.f_gt_tensor(&last.f_unsqueeze(2)?)?.f_unsqueeze(1)?; // [sequences, 1, queries, keys]
    Ok(later.f_logical_or(&beyond)?)
}
