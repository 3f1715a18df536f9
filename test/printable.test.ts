import test from 'tape';
import { printable } from '../lib/printable.js';

test('what a terminal would obey, or what hides, is written as an escape', (t) => {
  t.equal(printable('a\x1b[2Jb\x07\x7f\x9b\0'), 'a\\u{1b}[2Jb\\u{7}\\u{7f}\\u{9b}\\u{0}');
  t.equal(printable('a\r\n\t\u2028\u2029\u0085'), 'a\\u{d}\\u{a}\\u{9}\\u{2028}\\u{2029}\\u{85}');
  t.equal(printable('\u202egnp.exe\u2066\u200f\u061c'), '\\u{202e}gnp.exe\\u{2066}\\u{200f}\\u{61c}');
  t.equal(printable('\ud800a\udc00'), '\\u{d800}a\\u{dc00}', 'half a character');
  t.end();
});

test('names of every language stay as they are', (t) => {
  const names = [
    'Schraubenschlüssel',
    'レンチ',
    'مفتاح',
    'ключ',
    '\u{1f527}',
    '\u{1f468}\u200d\u{1f527}',
    'a\\b',
    'it\'s "so"',
  ];
  t.deepEqual(names.map(printable), names);
  t.end();
});
