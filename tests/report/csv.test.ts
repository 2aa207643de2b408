import test from 'ava'
import { csv } from '#ts/report/csv.js'

test('what would break a line or a field is quoted', (t) => {
  t.is(csv(['a', 'b'], [['x,y', 1.5], ['say "so"', null], ['two\nlines', -0.1]]), 'a,b\n"x,y",1.5\n"say ""so""",\n"two\nlines",-0.1\n')
  t.is(csv(['a'], []), 'a\n')
})
