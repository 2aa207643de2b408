import { native, type NativeTextSteps } from '../binding.js'
import { factory, nativeOf, own } from '../handle.js'
import { call } from '../native-error.js'

/** What sentences go through before they become tokens, as `text.json` beside a `tokenizer.json` says: Moses' steps, lower case. */
export class TextSteps {
  private constructor(handle: NativeTextSteps) {
    own(this, 'TextSteps', handle, factory)
  }

  /** Those of a folder; none where it has no `text.json`. */
  static open(folder: string): TextSteps {
    return new TextSteps(call(() => native().TextSteps.open(folder)))
  }

  /** Sentences as the tokenizer is given them. */
  process(side: 'source' | 'target', lines: readonly string[]): string[] {
    const steps = nativeOf(this, 'TextSteps')
    return call(() => (side === 'source' ? steps.processSources([...lines]) : steps.processTargets([...lines])))
  }

  /** Sentences as people read them: words put together again; lower case stays. */
  restore(side: 'source' | 'target', lines: readonly string[]): string[] {
    const steps = nativeOf(this, 'TextSteps')
    return call(() => (side === 'source' ? steps.restoreSources([...lines]) : steps.restoreTargets([...lines])))
  }
}
