import { strict as assert } from 'node:assert'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { parseGoEvents } from '../../conformance/suites/go-events.ts'
import { parsePytest } from '../../conformance/suites/kafka-python.ts'
import { parseReport } from '../../conformance/suites/librdkafka.ts'
import { parseReporter } from '../../conformance/suites/reported-tests.ts'
import { countTests, missedTests, partsOf, type SuiteTest } from '../../conformance/suites/suite.ts'
import { runNode, withTree } from '../scripts/temporary-tree.ts'

const pass = (name: string): SuiteTest => ({ name, status: 'pass', reason: '' })

describe('results of foreign suites', () => {
  it('reads the events of go test, with the lines of a test that failed', () => {
    const events = [
      { Action: 'run', Test: 'TestA' },
      { Action: 'output', Test: 'TestA', Output: '=== RUN   TestA\n' },
      { Action: 'output', Test: 'TestA', Output: '    a_test.go:7: saw double offset\n' },
      { Action: 'fail', Test: 'TestA' },
      { Action: 'pass', Test: 'TestB/range' },
      { Action: 'skip', Test: 'TestC' },
      { Action: 'fail' },
    ]
    const output = events.map((event) => JSON.stringify(event)).join('\n')
    assert.deepEqual(parseGoEvents(`# a warning\n${output}\n`), [
      { name: 'TestA', status: 'fail', reason: 'a_test.go:7: saw double offset' },
      pass('TestB/range'),
      { name: 'TestC', status: 'skip', reason: '' },
    ])
  })

  it('counts a test as failed whose process ended before it did', () => {
    const events = [
      { Action: 'run', Test: 'TestA' },
      { Action: 'run', Test: 'TestB' },
      { Action: 'pass', Test: 'TestA' },
      { Action: 'fail' },
    ]
    const output = events.map((event) => JSON.stringify(event)).join('\n')
    assert.deepEqual(parseGoEvents(output), [
      pass('TestA'),
      { name: 'TestB', status: 'fail', reason: 'no end' },
    ])
  })

  it('reads the lines and the summary of pytest', () => {
    const output = [
      'test/integration/test_a.py::test_one[None] PASSED         [ 10%]',
      'test/integration/test_a.py::test_two FAILED               [ 20%]',
      'test/integration/test_a.py::test_three SKIPPED (old broker) [ 30%]',
      'test/integration/test_a.py::test_four PASSED              [ 40%]',
      'test/integration/test_a.py::test_four ERROR               [ 40%]',
      '=========== short test summary info ===========',
      'FAILED test/integration/test_a.py::test_two - AssertionError: 1 != 2',
      'ERROR test/integration/test_a.py::test_four - TimeoutError: no end',
    ]
    assert.deepEqual(parsePytest(output.join('\n')), [
      pass('test/integration/test_a.py::test_one[None]'),
      {
        name: 'test/integration/test_a.py::test_two',
        status: 'fail',
        reason: 'AssertionError: 1 != 2',
      },
      { name: 'test/integration/test_a.py::test_three', status: 'skip', reason: 'old broker' },
      {
        name: 'test/integration/test_a.py::test_four',
        status: 'fail',
        reason: 'TimeoutError: no end',
      },
    ])
  })

  it("reads librdkafka's report and leaves out what was not asked for", () => {
    const test = (state: string) => ({ state, extra: '' })
    const report = {
      tests: {
        '<MAIN>': test('PASSED'),
        '0001_multiobj': test('PASSED'),
        '0002_unkpart': test('FAILED'),
        '0003_msgmaxsize': test('SKIPPED'),
        '0101_fetch_from_follower': test('SKIPPED'),
        '0004_conf': test('DNS'),
        '0005_order': test('RUNNING'),
      },
    }
    const table = [
      '\u001b[31m### Test "0002_unkpart (sub)" failed at test.c:5:check() at Wed Nov 25: ###',
      'no error seen',
      '\u001b[36m[0101_fetch_from_follower    /  0.000s] WARN: SKIPPING TEST: needs 3 brokers',
      '[0003_msgmaxsize   /  0.000s] WARN: SKIPPING TEST: Filtered due to negative test flags',
    ]
    assert.deepEqual(parseReport(JSON.stringify(report), table.join('\n')), [
      pass('0001_multiobj'),
      { name: '0002_unkpart', status: 'fail', reason: 'no error seen' },
      { name: '0101_fetch_from_follower', status: 'skip', reason: 'needs 3 brokers' },
      { name: '0005_order', status: 'fail', reason: '' },
    ])
  })
})

describe("results of suites that Node's test runner runs", () => {
  it("reads Node's test runner: tests in tests, failures of hooks, tests left out", async () => {
    const file = `
      import { describe, it, test } from 'node:test'
      test('outer', async (t) => {
        await t.test('inner', () => {})
        await t.test('bad', () => { throw new TypeError('planted') })
      })
      describe('group', () => {
        it('holds', () => {})
        it('later', { todo: true }, () => {})
        it('never', { skip: 'no broker' }, () => {})
      })
      test('broken after', async (t) => {
        await t.test('fine', () => {})
        throw new Error('outside')
      })
      it('holds', () => {})
      it('holds', () => {})`
    await withTree({ 'a.test.mjs': file, 'package.json': '{}' }, async (root) => {
      const reporter = resolve('test/conformance/suites/line-reporter.ts')
      const args = ['--test', `--test-reporter=${reporter}`, 'a.test.mjs']
      const { stdout } = await runNode(args, { cwd: root })
      const at = (...path: string[]): string => ['a.test.mjs', ...path].join(' > ')
      assert.deepEqual(parseReporter(stdout), [
        pass(at('outer', 'inner')),
        { name: at('outer', 'bad'), status: 'fail', reason: 'TypeError: planted' },
        pass(at('group', 'holds')),
        { name: at('group', 'later'), status: 'skip', reason: '' },
        { name: at('group', 'never'), status: 'skip', reason: 'no broker' },
        pass(at('broken after', 'fine')),
        { name: at('broken after'), status: 'fail', reason: 'Error: outside' },
        pass(at('holds')),
        pass(`${at('holds')} #2`),
      ])
    })
  })

  it('names the file that it ran, whatever the reporter knows of it', () => {
    const reported = { file: 'stand-in.ts', path: ['a', 'b'], status: 'pass', reason: '' }
    const line = `@test ${JSON.stringify(reported)}`
    assert.deepEqual(parseReporter(line, 'kv_test.ts'), [pass('kv_test.ts > a > b')])
  })
})

describe('a run of a foreign suite', () => {
  it('has its parts counted apart', () => {
    const inPart = (name: string, part: string): SuiteTest => ({ ...pass(name), part })
    const tests = [inPart('a', 'core'), inPart('b', 'kv'), inPart('c', 'core'), pass('d')]
    const names = [...partsOf(tests)].map(([part, some]) => [part, some.map(({ name }) => name)])
    assert.deepEqual(names, [
      ['core', ['a', 'c']],
      ['kv', ['b']],
      ['', ['d']],
    ])
  })

  it('is compared with a yardstick: what passes there and not here', () => {
    const skipped: SuiteTest = { name: 'd', status: 'skip', reason: '' }
    const failed: SuiteTest = { name: 'b', status: 'fail', reason: 'too late' }
    const here = [pass('a'), failed, skipped]
    assert.deepEqual(countTests(here), { passed: 1, failed: 1, skipped: 1 })
    assert.deepEqual(missedTests([pass('a'), pass('b'), pass('c'), skipped], here), [
      failed,
      { name: 'c', status: 'skip', reason: 'not run' },
    ])
  })
})
