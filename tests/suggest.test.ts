import test from 'ava'
import { hint, suggest } from '#ts/suggest.js'

test('the nearest word is suggested where one is near', (t) => {
  t.is(suggest('betass', ['lr', 'betas', 'eps']), 'betas')
  t.is(suggest('LR', ['lr', 'betas']), 'lr')
  t.is(suggest('hidensize', ['hiddenSize', 'heads']), 'hiddenSize')
  t.is(suggest('ls', ['sl', 'xy']), 'sl')
  t.is(suggest('momentum', ['lr', 'betas', 'eps']), undefined)
  t.is(suggest('x', []), undefined)
})

test('a hint names the nearest word, or all', (t) => {
  t.is(hint('suffle', ['shuffle', 'seed']), '; did you mean "shuffle"?')
  t.is(hint('momentum', ['shuffle', 'seed']), '; known: shuffle, seed')
})
