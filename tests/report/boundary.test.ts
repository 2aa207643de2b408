import test from 'ava'
import { drawBoundaries, drawBoundary } from '#ts/report/boundary.js'
import { boundary } from './fixture.js'

test('panels stand side by side, each with its bands, its boundary and its points', (t) => {
  const text = drawBoundaries([boundary('Adam', 2), boundary('Adam-SAGE', 6)]).text
  t.true(text.includes('viewBox="0 0 664 380"'))
  t.is(text.match(/class="half"/g)?.length, 2)
  t.is(text.match(/<circle/g)?.length, 480)
  t.false(/NaN|undefined/.test(text))
})

test('the boundary runs where the probability is one half', (t) => {
  // P rises with x alone and crosses one half midway: the line is vertical, in the middle of the 320 units.
  const size = 4
  const probabilities = Array.from({ length: size * size }, (_, index) => 0.2 * (1 + (index % size)))
  const text = drawBoundaries([{ title: 'a', caption: 'b', size, x: [0, 1], y: [0, 1], probabilities, points: [] }]).text
  t.regex(text, /class="half" d="M160 350L160 243\.3M160 243\.3L160 136\.7M160 136\.7L160 30"/)
  // Where P ≥ 0.5: in each row half a cell, then one whole cell to the edge.
  t.regex(text, /layer class-1" d="M[\d. L]+zM213\.3 350H320V243\.3H213\.3z/)
})

test('a flat probability has no boundary, and a missing one counts as undecided', (t) => {
  const flat = { title: 'a', caption: 'b', size: 2, x: [0, 1], y: [0, 1], probabilities: [0.9, 0.9, 0.9, 0.9], points: [] } as const
  t.regex(drawBoundaries([flat]).text, /class="half" d=""/)
  t.regex(drawBoundaries([flat]).text, /class-1" d="M0 350H320V30H0z"/)
  t.notRegex(drawBoundaries([{ ...flat, probabilities: [] }]).text, /NaN/)
})

test('a drawing for a file carries its stylesheet, one for the page does not and is one panel wide', (t) => {
  t.true(drawBoundaries([boundary('Adam', 2)]).text.includes('prefers-color-scheme:dark'))
  const { text } = drawBoundary('boundary-0', boundary('Adam', 2))
  t.false(text.includes('<style>'))
  t.true(text.includes('viewBox="0 0 320 380"'))
})
