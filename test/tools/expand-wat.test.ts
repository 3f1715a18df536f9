import test from 'tape';
import { expandWat, isFragment, withoutUnused } from '../../tools/expand-wat.js';

/** A file, expanded beside others. */
const expanded = (text: string, files: Readonly<Record<string, string>> = {}): string =>
  expandWat('kernel.wat', (file) => (file === 'kernel.wat' ? text : (files[file] ?? '')));

test('a joined file stands in the place of its line, and joins others', (t) => {
  const files = { 'outer.wat': '  ;; join inner.wat', 'inner.wat': '(func $f)' };
  t.equal(expanded('(module\n  ;; join outer.wat\n)', files), '(module\n(func $f)\n)');
  t.end();
});

test('lines are repeated for each row of a table, with its name and its value', (t) => {
  const text = [
    ';; rows',
    ';;   add       (f32x4.add (local.get $x))',
    ';;   subtract  (f32x4.sub)',
    ';; for each row',
    '(func (export "NAME") VALUE)',
    ';; end',
    'rest',
  ].join('\n');
  const functions =
    '(func (export "add") (f32x4.add (local.get $x)))\n\n(func (export "subtract") (f32x4.sub))\n\nrest';
  t.equal(expanded(text), functions);
  t.end();
});

test('a row may go on in the next line, and the loop may be joined', (t) => {
  const files = { 'loop.wat': ';; a loop\n\n;; for each row\n(func (export "NAME") VALUE)\n;; end' };
  const text = ';; rows\n;;   twice  (f32x4.add\n;;     (local.get $x))\n\n;; join loop.wat';
  t.equal(expanded(text, files), '(func (export "twice") (f32x4.add (local.get $x)))\n');
  t.end();
});

test('a line of a table that is no row is refused, with its file and number', (t) => {
  const table = (row: string): string =>
    `(module\n  ;; rows\n  ;;   add  -\n  ${row}\n  ;; for each row\n  NAME\n  ;; end\n)`;
  const refused = /^Error: kernels\/kernel\.wat:4: a row of a table is .*, not ';; /;
  for (const row of [';;   less-equal  (f32x4.le)', ';;   subtract', ';;   $x  -']) {
    t.throws(() => expanded(table(row)), refused, row);
  }
  const first = ';; rows\n;;   (f32x4.le)\n;; for each row\nNAME\n;; end';
  t.throws(() => expanded(first), /^Error: kernels\/kernel\.wat:2: /, 'nothing before it that it could go on with');
  const joined = { 'joined/table.wat': table(';;   less-equal  (f32x4.le)') };
  t.throws(() => expanded(';; head\n;; join joined/table.wat', joined), /^Error: kernels\/joined\/table\.wat:4: /);
  t.end();
});

test('a file without a module is a fragment', (t) => {
  t.deepEqual([isFragment(';; a (module of words\n  (func $f)\n'), isFragment(';; head\n(module\n)')], [true, false]);
  t.end();
});

test('functions that nobody calls are left out, and those that only they call', (t) => {
  const module = `(module
  (func $used (param $x i32) (result i32) (local.get $x)) ;; (call $comment
  (func $inner (result i32) (i32.const 1))
  (func $outer (result i32) (i32.add (call $inner) (i32.const 2)))
  (func $shown (export "shown") (result i32) (i32.const 3))
  (func (export "run") (result i32) (call $used (i32.const 4))))`;
  const left = withoutUnused(module);
  t.deepEqual(
    Array.from(left.matchAll(/\(func (\S+)/g), ([, name]) => name),
    ['$used', '$shown', '(export'],
  );
  t.equal(left.split('(').length, left.split(')').length, 'what is left is whole');
  t.end();
});
