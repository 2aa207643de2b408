import { Model } from '../model.js'
import type { Device } from '../session.js'
import type { JsonObject } from '../merge.js'

/**
 * Uses what a run has learnt on the device that it trained on. In float32 whatever it trained in: results compare between precisions, and
 * with what the commands say of the same folder.
 */
export async function withTrained<T>(folder: string, { device = 'auto' }: JsonObject, use: (model: Model) => Promise<T>): Promise<T> {
  using model = await Model.load(folder, { device: device as Device })
  return await use(model)
}
