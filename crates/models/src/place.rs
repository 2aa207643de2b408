//! Where a model's tensors lie.

use sagetrain_torch::upload;
use tch::{Device, Tensor};

use crate::error::Result;
use crate::model::Model;

/// Moves all tensors of a model to a device; every handle to them goes along.
///
/// # Errors
/// `ERR_TORCH` where the device has not enough memory: what was moved by then is there, the rest where it was.
pub fn place(model: &dyn Model, device: Device) -> Result<()> {
    let _no_grad = tch::no_grad_guard();
    model.tensors().iter_mut().try_for_each(|tensor| move_to(tensor, device))
}

fn move_to(tensor: &mut Tensor, device: Device) -> Result<()> {
    if tensor.device() == device {
        return Ok(());
    }
    let there = match device {
        Device::Cpu => tensor.f_to_device(device)?,
        device => upload(&tensor.f_detach()?.f_to_device(Device::Cpu)?, device)?,
    };
    Ok(tensor.f_set_data(&there.f_detach()?)?)
}
