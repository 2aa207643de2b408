import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync, existsSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import { holdLock, withLock } from '#ts/setup/lock.mjs'

function lockPath(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sagetrain-lock-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'a.lock')
}

const ignore = (): void => {}

/** Whether the lock can be had within a moment. */
async function canTake(path: string): Promise<boolean> {
  let taken = false
  void withLock(path, ignore, () => Promise.resolve((taken = true)))
  await sleep(500)
  if (!taken) rmSync(path, { force: true }) // lets the waiting one end
  return taken
}

test('bodies under one lock never overlap', async (t) => {
  const path = lockPath(t)
  let inside = 0
  const body = async (): Promise<void> => {
    inside += 1
    t.is(inside, 1)
    await sleep(10)
    inside -= 1
  }
  await Promise.all(Array.from({ length: 5 }, () => withLock(path, ignore, body)))
  t.false(existsSync(path))
})

test('many locks take one listener of the process, and giving one back twice takes nobody else’s', async (t) => {
  const before = process.listenerCount('exit')
  const paths = Array.from({ length: 20 }, () => lockPath(t))
  const releases = await Promise.all(paths.map((path) => holdLock(path, ignore)))
  t.true(process.listenerCount('exit') <= before + 1)
  const [path = '', release = ignore] = [paths[0], releases[0]]
  release()
  const second = await holdLock(path, ignore)
  release()
  t.true(existsSync(path))
  second()
  for (const one of releases) one()
  t.false(paths.some((one) => existsSync(one)))
})

test('a lock that went with its folder does not end what holds it', async (t) => {
  const path = lockPath(t)
  await withLock(path, ignore, async () => {
    rmSync(path)
    await sleep(5_500) // past a heartbeat
  })
  t.false(existsSync(path))
})

test('the lock is given back when the body fails', async (t) => {
  const path = lockPath(t)
  await t.throwsAsync(withLock(path, ignore, () => Promise.reject(new Error('no'))), { message: 'no' })
  t.false(existsSync(path))
})

test('a dead holder\'s lock is taken over, also when its number lives on in another process', async (t) => {
  const path = lockPath(t)
  for (const pid of [2 ** 22 + 1, process.pid]) {
    writeFileSync(path, JSON.stringify({ pid, started: '1', host: hostname() }))
    t.true(await canTake(path))
  }
})

test('a living holder on another host keeps its lock while it touches it', async (t) => {
  const path = lockPath(t)
  const holder = JSON.stringify({ pid: 1, started: '1', host: 'elsewhere' })
  writeFileSync(path, holder)
  t.false(await canTake(path))
  writeFileSync(path, holder)
  utimesSync(path, new Date(), new Date(Date.now() - 120_000))
  t.true(await canTake(path))
})

test('who waits is told for whom', async (t) => {
  const path = lockPath(t)
  const told: number[] = []
  await Promise.all([
    withLock(path, ignore, () => sleep(150)),
    withLock(path, ({ pid }) => told.push(pid), async () => t.is(JSON.parse(readFileSync(path, 'utf8')).pid, process.pid)),
  ])
  t.deepEqual(told, [process.pid])
})

test('a killed holder that nobody has buried yet holds nothing', async (t) => {
  const path = lockPath(t)
  // The shell becomes a sleep that never asks for its child: the child stays a zombie until then.
  const parent = spawn('sh', ['-c', 'sleep 1 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => parent.kill('SIGKILL'))
  const pid = Number(String((await once(parent.stdout, 'data'))[0]))
  const fields = (): readonly string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  writeFileSync(path, JSON.stringify({ pid, started: fields()[19], host: hostname() }))
  process.kill(pid, 'SIGKILL')
  for (let tries = 0; fields()[0] !== 'Z' && tries < 100; tries++) await sleep(20)
  t.is(fields()[0], 'Z')
  t.true(await canTake(path))
})
