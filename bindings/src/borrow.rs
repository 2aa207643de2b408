//! Float arrays lent by JavaScript for the length of one synchronous call.

use crate::fault::Fault;
use napi::JsValue;
use napi::bindgen_prelude::{
    Either, Float32Array, Float32ArraySlice, Float64Array, Float64ArraySlice, FromNapiValue, Unknown,
};

/// A float type with its typed array.
pub(crate) trait Element: sagetrain_optim::Float {
    /// Where the elements of an array of this type lie.
    fn lent(value: &Unknown) -> Result<Lent<Self>, Fault>;
    /// A new array for JavaScript.
    fn array(values: &[Self]) -> Floats;
}

/// Either kind of float array.
pub(crate) type Floats = Either<Float32Array, Float64Array>;

/// An array's memory, not yet known to be disjoint from the others.
#[derive(Clone, Copy)]
pub(crate) struct Lent<F> {
    start: *mut F,
    length: usize,
}

impl Element for f32 {
    fn lent(value: &Unknown) -> Result<Lent<Self>, Fault> {
        // SAFETY: the value is alive in the current call's scope; the conversion checks that it is a Float32Array.
        let slice = unsafe { Float32ArraySlice::from_napi_value(value.value().env, value.raw()) }?;
        Ok(Lent { start: slice.as_ptr().cast_mut(), length: slice.len() })
    }

    fn array(values: &[Self]) -> Floats {
        Either::A(Float32Array::new(values.to_vec()))
    }
}

impl Element for f64 {
    fn lent(value: &Unknown) -> Result<Lent<Self>, Fault> {
        // SAFETY: the value is alive in the current call's scope; the conversion checks that it is a Float64Array.
        let slice = unsafe { Float64ArraySlice::from_napi_value(value.value().env, value.raw()) }?;
        Ok(Lent { start: slice.as_ptr().cast_mut(), length: slice.len() })
    }

    fn array(values: &[Self]) -> Floats {
        Either::B(Float64Array::new(values.to_vec()))
    }
}

/// Parameters to be written and gradients to be read, none overlapping a parameter.
pub(crate) struct Borrowed<'a, F> {
    pub(crate) parameters: Vec<&'a mut [F]>,
    pub(crate) gradients: Vec<Option<&'a [F]>>,
}

/// Takes the arrays of one call.
///
/// # Errors
/// `ERR_ARGUMENT` where a parameter shares memory with another array.
pub(crate) fn borrow<'a, F: Element>(
    parameters: &'a [Unknown<'a>],
    gradients: &'a [Option<Unknown<'a>>],
) -> Result<Borrowed<'a, F>, Fault> {
    let parameters = parameters.iter().map(F::lent).collect::<Result<Vec<_>, _>>()?;
    let gradients = gradients.iter().map(|gradient| gradient.as_ref().map(F::lent).transpose());
    let gradients = gradients.collect::<Result<Vec<_>, _>>()?;
    check_disjoint(&parameters, &gradients)?;
    // SAFETY: each slice is the whole of a typed array that is an argument of the running call, so its memory lives for 'a; JavaScript,
    // the only other writer, does not run meanwhile (memory shared with other threads is refused in TypeScript). No parameter
    // overlaps another array, as was just checked, so every `&mut` is unique.
    unsafe {
        Ok(Borrowed {
            parameters: parameters.iter().map(|lent| lent.slice_mut()).collect(),
            gradients: gradients.iter().map(|lent| lent.as_ref().map(|lent| lent.slice())).collect(),
        })
    }
}

impl<F> Lent<F> {
    /// # Safety
    /// The memory is alive for 'a and nobody else uses it.
    unsafe fn slice_mut<'a>(&self) -> &'a mut [F] {
        // SAFETY: promised by the caller; empty arrays may have no address.
        unsafe {
            if self.length == 0 { &mut [] } else { std::slice::from_raw_parts_mut(self.start, self.length) }
        }
    }

    /// # Safety
    /// The memory is alive for 'a and nobody writes to it.
    unsafe fn slice<'a>(&self) -> &'a [F] {
        // SAFETY: promised by the caller; empty arrays may have no address.
        unsafe { if self.length == 0 { &[] } else { std::slice::from_raw_parts(self.start, self.length) } }
    }

    fn range(&self) -> (usize, usize) {
        let start = self.start.addr();
        (start, start + self.length * size_of::<F>())
    }
}

/// Sorted by address, only neighbours can overlap; gradients may share memory among themselves.
fn check_disjoint<F>(parameters: &[Lent<F>], gradients: &[Option<Lent<F>>]) -> Result<(), Fault> {
    let written = parameters.iter().map(|lent| (lent.range(), true));
    let read = gradients.iter().flatten().map(|lent| (lent.range(), false));
    let mut ranges: Vec<((usize, usize), bool)> =
        written.chain(read).filter(|((start, end), _)| start < end).collect();
    ranges.sort_unstable();
    let (mut written_end, mut any_end) = (0, 0);
    for ((start, end), is_written) in ranges {
        if start < written_end || (is_written && start < any_end) {
            return Err(Fault::argument(
                "parameters",
                "two arrays share memory; give every parameter an array of its own",
            ));
        }
        any_end = any_end.max(end);
        written_end = if is_written { written_end.max(end) } else { written_end };
    }
    Ok(())
}
