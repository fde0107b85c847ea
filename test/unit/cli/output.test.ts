import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { parseCount } from '../../../src/cli/command-failure.ts'
import { formatTable, parseFormat } from '../../../src/cli/output.ts'

describe('tables', () => {
  it('align texts left, numbers right, and show what is missing', () => {
    const rows = [
      { topic: 'a', endOffset: 5 },
      { topic: 'long', endOffset: 1000 },
      { topic: null, endOffset: null },
    ]
    assert.equal(
      formatTable(['topic', 'endOffset'], rows),
      ['TOPIC  END OFFSET', 'a               5', 'long         1000', '-               -', ''].join(
        '\n',
      ),
    )
  })

  it('have a heading when there is nothing', () => {
    assert.equal(formatTable(['a', 'b'], []), 'A  B\n')
  })
})

describe('options', () => {
  it('are read strictly', () => {
    assert.equal(parseFormat('json'), 'json')
    assert.throws(() => parseFormat('xml'), {
      message: '-o "xml" is not json or table',
      exitCode: 2,
    })
    assert.equal(parseCount('12', '-n'), 12)
    for (const text of ['', '-1', '1.5', '1e3', 'x', '0']) {
      assert.throws(() => parseCount(text, '-n', 1), { exitCode: 2 })
    }
  })
})
