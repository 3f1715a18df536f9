/** What Keras calls a layer's variables, and what they are called here. */
const VARIABLES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  depthwise_kernel: 'weight',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

/**
 * The name here of a variable that Keras calls `conv1/kernel:0` (Keras 2), `conv1/kernel` (Keras 3) or
 * `conv1/conv1/kernel:0` (in an .h5 file, where the layer's name stands twice): `conv1.weight`.
 */
export function nameFromKeras(name: string): string {
  const parts = name.replace(/:0$/, '').split(/[/.]/);
  const variable = parts.pop() ?? '';
  const own = parts.filter((part, place) => part !== parts[place - 1]);
  return [...own, Object.hasOwn(VARIABLES, variable) ? VARIABLES[variable] : variable].join('.');
}
