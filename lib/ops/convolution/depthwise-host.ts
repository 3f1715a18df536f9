import { elementAt } from '../../element-at.js';
import { type Chain, type Host, hostInputs } from '../../fusion/chain.js';
import { glueOf } from '../../fusion/glue.js';
import { finishOf, goesByBlocks } from '../../fusion/simd-calls.js';
import type { Attributes, AttributeValue, Operation, TensorSpec } from '../../graph/operation.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { Meeting, PerAxis } from './depthwise-axes.js';
import { channelsAtOnce, depthwiseLaunch, STAGES_AT, type Windowed, WORDS } from './depthwise-launches.js';
import { depthwisePhases } from './depthwise-simd.js';
import type { WindowAttributes } from './window.js';

/** How a depthwise convolution, or its input gradient, carries out stages on its sums: a bias, a norm, an activation. */
export function depthwiseHost(
  operation: () => Operation,
  meetingsOf: (window: WindowAttributes) => PerAxis<Meeting>,
): { readonly host: Host; readonly chain: () => Chain } {
  const windowedOf = (chain: Chain, inputs: readonly TensorSpec[], attributes: Attributes) => {
    const own = hostInputs(chain, inputs).slice(0, 2);
    const { shape } = elementAt(operation().infer(own, attributes), 0);
    const window = windowOfAttributes(attributes);
    const [source, weight] = [elementAt(own, 0), elementAt(own, 1)];
    const types = { source: source.dtype, weight: weight.dtype };
    return { shape, windowed: { ...windowed(source.shape, shape, meetingsOf(window)), types } };
  };
  const host: Host = {
    get operation() {
      return operation();
    },
    accepts(chain, site, { inputs, attributes }, { kernels }) {
      if (kernels === 'wgsl') return true;
      const { shape, windowed } = windowedOf(chain, inputs, attributes);
      return goesByBlocks(chain, site, inputs, { rows: sizeOf(shape.slice(0, 3)), columns: windowed.channels });
    },
    readsFloat16: true,
    storesFloat16: (chain, _site, { inputs, attributes }) =>
      channelsAtOnce(windowedOf(chain, inputs, attributes).windowed) === 4,
    bindings: () => 2,
    reference(chain, { inputs, attributes }) {
      const own = inputs.slice(0, 2);
      const specs = own.map(({ shape }) => ({ shape, dtype: 'f32' as const }));
      const { shape } = windowedOf(chain, specs, attributes);
      const sums = { data: new Float32Array(sizeOf(shape)), shape };
      operation().reference({ inputs: own, outputs: [sums], attributes });
      return [sums];
    },
    kernel(chain, { inputs, attributes }, target) {
      const { shape, windowed } = windowedOf(chain, inputs, attributes);
      if (chain.sites[0]?.length === 0) return [depthwiseLaunch(windowed, target)];
      const spot = {
        site: 0,
        put: 'put(given: Element, index: u32, channel: u32)',
        index: 'index',
        count: sizeOf(shape),
        coordinates: [{ inner: 1, size: windowed.channels, spelled: 'channel' }],
      };
      const width = channelsAtOnce(windowed);
      return [
        depthwiseLaunch(
          windowed,
          target,
          glueOf(chain, inputs, [spot], { width, firstBinding: STAGES_AT, words: WORDS }),
        ),
      ];
    },
    simd(chain, { inputs, attributes }) {
      const { windowed } = windowedOf(chain, inputs, attributes);
      return depthwisePhases(windowed, finishOf(chain, 0, inputs, windowed.channels));
    },
  };
  return { host, chain: () => ({ host, rows: [], sites: [[]] }) };
}

function windowed(source: Shape, target: Shape, meetings: PerAxis<Meeting>): Omit<Windowed, 'types'> {
  return {
    pictures: elementAt(target, 0),
    channels: elementAt(target, 3),
    source: [elementAt(source, 1), elementAt(source, 2)],
    target: [elementAt(target, 1), elementAt(target, 2)],
    meetings,
  };
}

function windowOfAttributes({ kernel, stride, dilation, padding }: Attributes): WindowAttributes {
  return {
    kernel: numbersOf(kernel),
    stride: numbersOf(stride),
    dilation: numbersOf(dilation),
    padding: numbersOf(padding),
  };
}

function numbersOf(value: AttributeValue | undefined): readonly number[] {
  if (!Array.isArray(value)) throw new Error('a window has numbers for its axes');
  return value as readonly number[];
}
