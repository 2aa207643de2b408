//! Float arrays lent by JavaScript for the length of one synchronous call.

use crate::fault::Fault;
use napi::JsValue;
use napi::bindgen_prelude::{
    Either3, Float32Array, Float32ArraySlice, Float64Array, Float64ArraySlice, FromNapiValue, Uint16Array,
    Uint16ArraySlice, Unknown,
};
use sagetrain_optim::{Stored, Values, bf16, f16};

/// A type of parameters with its typed array.
pub(crate) trait Element: Stored {
    /// Where the elements of an array of this type lie.
    fn lent(value: &Unknown) -> Result<Lent<Self>, Fault>;
}

/// Any kind of array of floats; 16-bit ones are bfloat16 where they are states.
pub(crate) type Floats = Either3<Float32Array, Float64Array, Uint16Array>;

/// A new array for JavaScript.
pub(crate) fn array(values: Values<'_>) -> Floats {
    match values {
        Values::Float32(values) => Either3::A(Float32Array::new(values.to_vec())),
        Values::Float64(values) => Either3::B(Float64Array::new(values.to_vec())),
        Values::BFloat16(values) => Either3::C(Uint16Array::new(bytemuck::cast_slice(values).to_vec())),
        Values::Float16(values) => Either3::C(Uint16Array::new(bytemuck::cast_slice(values).to_vec())),
    }
}

/// The elements of a state that JavaScript gave.
pub(crate) fn values(array: &Floats) -> Values<'_> {
    match array {
        Either3::A(values) => Values::Float32(values),
        Either3::B(values) => Values::Float64(values),
        Either3::C(values) => Values::BFloat16(bytemuck::cast_slice(values)),
    }
}

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
}

impl Element for f64 {
    fn lent(value: &Unknown) -> Result<Lent<Self>, Fault> {
        // SAFETY: the value is alive in the current call's scope; the conversion checks that it is a Float64Array.
        let slice = unsafe { Float64ArraySlice::from_napi_value(value.value().env, value.raw()) }?;
        Ok(Lent { start: slice.as_ptr().cast_mut(), length: slice.len() })
    }
}

impl Element for bf16 {
    fn lent(value: &Unknown) -> Result<Lent<Self>, Fault> {
        sixteen_bits(value)
    }
}

impl Element for f16 {
    fn lent(value: &Unknown) -> Result<Lent<Self>, Fault> {
        sixteen_bits(value)
    }
}

/// Elements of `T`, which is 16 bits under another name.
fn sixteen_bits<T: Stored>(value: &Unknown) -> Result<Lent<T>, Fault> {
    // SAFETY: the value is alive in the current call's scope; the conversion checks that it is a Uint16Array.
    let slice = unsafe { Uint16ArraySlice::from_napi_value(value.value().env, value.raw()) }?;
    Ok(Lent { start: slice.as_ptr().cast_mut().cast(), length: slice.len() })
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
