import { getEventListeners } from 'node:events'
import test from 'ava'
import { abortable, onAbort } from '#ts/abort.js'

test('what a signal ends has one listener, which goes with the last of it', (t) => {
  const { signal } = new AbortController()
  const releases = Array.from({ length: 30 }, () => onAbort(signal, () => undefined))
  t.is(getEventListeners(signal, 'abort').length, 1)
  for (const release of releases) release()
  t.is(getEventListeners(signal, 'abort').length, 0)
  const held = onAbort(signal, () => undefined)
  releases[0]?.()
  onAbort(signal, () => undefined)()
  t.is(getEventListeners(signal, 'abort').length, 1, 'one that was released before changes nothing')
  held()
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('an abort calls what is still watched, each once', (t) => {
  const controller = new AbortController()
  const called: string[] = []
  const release = onAbort(controller.signal, () => called.push('released'))
  for (const name of ['first', 'second']) onAbort(controller.signal, () => called.push(name))
  release()
  release()
  controller.abort()
  t.deepEqual(called, ['first', 'second'])
  onAbort(undefined, () => called.push('none'))()
  t.is(called.length, 2)
})

test('work side by side under one signal is called off together', async (t) => {
  const controller = new AbortController()
  let cancelled = 0
  const works = Array.from({ length: 12 }, () => {
    let end: (error: Error) => void = () => undefined
    const ended = new Promise<never>((_, reject) => void (end = reject))
    const reason = (): Error => Object.assign(new Error('called off'), { code: 'ERR_ABORTED' })
    return abortable(controller.signal, { cancel: () => { cancelled += 1; end(reason()) }, resume: () => undefined }, () => ended)
  })
  t.is(getEventListeners(controller.signal, 'abort').length, 1)
  controller.abort(new Error('enough'))
  const settled = await Promise.allSettled(works)
  t.deepEqual([cancelled, settled.filter(({ status }) => status === 'rejected').length], [12, 12])
  t.is(getEventListeners(controller.signal, 'abort').length, 0)
})
