import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError } from '../../../../src/base/errors.ts'
import { parseProperties } from '../../../../src/broker/configs/properties.ts'

const parse = (text: string) => [...parseProperties(text)]

describe('a server.properties file', () => {
  it('is read as Java reads it: comments, separators, the last of a name', () => {
    assert.deepEqual(parse('# c\n! c\n\na=1\nb : 2\nc 3\nd\n  e\t=\t5 \r\na=6\n'), [
      ['a', '6'],
      ['b', '2'],
      ['c', '3'],
      ['d', ''],
      ['e', '5'],
    ])
  })

  it('may continue lines and escape characters', () => {
    assert.deepEqual(parse('listeners=A://:1,\\\n   B://:2\na\\=b=c:d=e\nu=\\u00e9\\n\\\\\\x\n'), [
      ['listeners', 'A://:1,B://:2'],
      ['a=b', 'c:d=e'],
      ['u', 'é\n\\x'],
    ])
  })

  it('with a broken escape is refused, naming the line', () => {
    assert.throws(
      () => parse('a=1\nb=\\u12'),
      (error) => error instanceof ConfigError && /line 2/.test(error.message),
    )
  })
})
