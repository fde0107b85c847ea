import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfFile } from '../../../../src/app/nats-server/conf-parser.ts'
import type { ConfValue } from '../../../../src/app/nats-server/conf-value.ts'
import { ConfigError } from '../../../../src/base/errors.ts'

/** Plain objects, which are easier to compare. */
function plain(value: ConfValue): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([name, one]) => [name, plain(one)]))
  }
  return Array.isArray(value) ? value.map(plain) : value
}

function parse(
  text: string,
  files: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string>> = {},
): unknown {
  const all: Readonly<Record<string, string>> = { main: text, ...files }
  return plain(
    parseConfFile('main', {
      readFile: (path) => ({ path, text: all[path] ?? assert.fail(path) }),
      environment: (name) => environment[name],
    }),
  )
}

describe('the configuration language of nats-server', () => {
  const read: readonly (readonly [text: string, value: object])[] = [
    ['port: 4222', { port: 4222 }],
    ['port = -1\nhost 0.0.0.0', { port: -1, host: '0.0.0.0' }],
    ['a: 1, b: 2; c: 3', { a: 1, b: 2, c: 3 }],
    ['# a comment\na: 1 # behind\n// another\nb: 2', { a: 1, b: 2 }],
    ['a: 64MB\nb: 1k\nc: 2KiB\nd: 1.5', { a: 64 * 1024 * 1024, b: 1000, c: 2048, d: 1.5 }],
    ['a: true\nb: off\nc: YES', { a: true, b: false, c: true }],
    ['listen: 127.0.0.1:4222\nping: 2m', { listen: '127.0.0.1:4222', ping: 2_000_000 }],
    ['ping: "2m"\nuser: \'x"y\'', { ping: '2m', user: 'x"y' }],
    ['a: "tab\\t quote\\" hex\\x41"', { a: 'tab\t quote" hexA' }],
    ['tls {\n cert: x\n}\nb { c: [1, 2\n 3] }', { tls: { cert: 'x' }, b: { c: [1, 2, 3] } }],
    ['users [\n {user: a}\n {user: b}\n]', { users: [{ user: 'a' }, { user: 'b' }] }],
    ['{ "port": 4222, "tls": {"a": ["b"]} }', { port: 4222, tls: { a: ['b'] } }],
    ['pass: $2a$11$abc/def.', { pass: '$2a$11$abc/def.' }],
    [
      'who: x\nuser: $who\nb { who: y, user: $who }',
      { who: 'x', user: 'x', b: { who: 'y', user: 'y' } },
    ],
    ['text: (\nfirst\nsecond\n)\na: 1', { text: '\nfirst\nsecond\n', a: 1 }],
    ['password: §12§', { password: '§12§' }],
    ['url: nats://a:b@host:4222/x', { url: 'nats://a:b@host:4222/x' }],
    ['', {}],
  ]
  for (const [text, value] of read) {
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parse(text), value))
  }

  it('reads other files, and the environment', () => {
    const files = { 'users.conf': 'users: [{user: a}]', 'b.conf': 'inner: $NUMBER' }
    const text = "accounts { include 'users.conf' }\ninclude b.conf\nport: $PORT"
    assert.deepEqual(parse(text, files, { PORT: '4000', NUMBER: '7' }), {
      accounts: { users: [{ user: 'a' }] },
      inner: 7,
      port: 4000,
    })
  })

  const refused: readonly (readonly [text: string, reason: RegExp])[] = [
    ['a: 1\nb {', /main: line 2: a block is not closed/],
    ['a: [1', /a list is not closed/],
    ['a: "x', /a text is not closed/],
    ['a:', /a value is missing/],
    ['}', /main: line 1: a value is missing/],
    ['a: "\\q"', /"\\q" is not an escape/],
    ['a: $NOBODY', /\$NOBODY is neither set above nor in the environment/],
    ['include main', /include each other too deeply/],
    ['a: (\nx', /in parentheses is not closed/],
  ]
  for (const [text, reason] of refused) {
    it(`refuses ${JSON.stringify(text)} and says why`, () => {
      assert.throws(
        () => parse(text),
        (error) => {
          assert.ok(error instanceof ConfigError)
          assert.match(error.message, reason)
          return true
        },
      )
    })
  }

  it('ends for a variable that leads to itself', () => {
    assert.throws(() => parse('a: $B', {}, { B: '$B' }), /leads to itself/)
  })
})
