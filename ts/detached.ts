/** Whether a typed array's buffer was transferred. Such a view has no length; one that was empty from the start looks the same otherwise. */
export function isDetached(view: ArrayBufferView): boolean {
  if (view.buffer.byteLength > 0) return false
  try {
    return new Uint8Array(view.buffer).byteLength > 0
  } catch {
    return true
  }
}
