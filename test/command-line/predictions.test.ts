import test from 'tape';
import { describePrediction } from '../../lib/command-line/training/predictions.js';

test('a prediction is described in a line, without what a terminal would obey in its names', (t) => {
  const prediction = { file: 'a\x1b[2J/1\n.png', label: 'b', predicted: 'a\x1b[2J', probabilities: [0.75, 0.25] };
  t.equal(
    describePrediction(prediction, ['a\x1b[2J', 'b']),
    'a\\u{1b}[2J/1\\u{a}.png: a\\u{1b}[2J (a\\u{1b}[2J 0.750, b 0.250)  ✗ it is a b',
  );
  t.end();
});
