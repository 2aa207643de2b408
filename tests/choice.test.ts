import test from 'ava'
import { choiceOf, chosenNumber, chosenScore } from '#ts/choice.js'
import { chosenBy } from '#ts/task/classification/best.js'

test('a loss is the better the lower, over both validation parts where there are two', (t) => {
  const loss = chosenBy({ metric: 'loss' })
  t.is(chosenNumber(loss, { loss: 1, score: 9 }), 1)
  t.is(chosenNumber(loss, { loss: 1, lossMismatched: 4, score: 9 }), 2.5)
  t.is(chosenScore(loss)({ loss: 1, lossMismatched: 4 }), -2.5)
  t.is(chosenScore(choiceOf('nll'))({ nll: 2, bleu: 7 }), -2)
})

test('what is not there, or is not a number, is no best', (t) => {
  t.is(chosenNumber(choiceOf('bleu'), { chrf: 1 }), Number.NaN)
  t.is(chosenNumber(choiceOf('bleu'), { bleu: null }), Number.NaN)
  t.is(chosenScore(chosenBy({ metrics: ['f1'] }))({ score: Number.NaN, f1: 1 }), Number.NaN)
  t.is(chosenScore(chosenBy(undefined))({ score: 0.5, accuracy: 1 }), 0.5)
})
