import test from 'tape';
import { suggest } from '../lib/suggest.js';

test('a word close to a known one is suggested, whichever letters were missed, added or swapped', (t) => {
  const known = ['epochs', 'batchSize', 'seed'];
  t.equal(suggest('epoch', known), " (did you mean 'epochs'?)");
  t.equal(suggest('eopchs', known), " (did you mean 'epochs'?)");
  t.equal(suggest('batchsize', known), " (did you mean 'batchSize'?)");
  t.equal(suggest('sed', known), " (did you mean 'seed'?)");
  t.end();
});

test('a word close to none is left without a suggestion', (t) => {
  t.equal(suggest('learningRate', ['epochs', 'seed']), '');
  t.equal(suggest('x', []), '');
  t.end();
});
