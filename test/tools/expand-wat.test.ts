import test from 'tape';
import { expandWat, isFragment } from '../../tools/expand-wat.js';

const files: Readonly<Record<string, string>> = { 'outer.wat': '  ;; join inner.wat', 'inner.wat': '(func $f)' };
const read = (file: string): string => files[file] ?? '';

test('a joined file stands in the place of its line, and joins others', (t) => {
  t.equal(expandWat('(module\n  ;; join outer.wat\n)', read), '(module\n(func $f)\n)');
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
  const expanded = '(func (export "add") (f32x4.add (local.get $x)))\n\n(func (export "subtract") (f32x4.sub))\n\nrest';
  t.equal(expandWat(text, read), expanded);
  t.end();
});

test('a file without a module is a fragment', (t) => {
  t.deepEqual([isFragment(';; a (module of words\n  (func $f)\n'), isFragment(';; head\n(module\n)')], [true, false]);
  t.end();
});
