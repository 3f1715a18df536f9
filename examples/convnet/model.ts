import {
  BatchNorm,
  Conv2d,
  Dense,
  Dropout,
  GlobalMaxPool,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  type Tensor,
} from 'kernelwright';

/** Channels of the four stages. */
const CHANNELS = [16, 32, 64, 128];

/**
 * Four times convolution 3 × 3 → batch norm → ReLU → maximum of 2 × 2, then the largest value of each channel in the whole
 * picture, dropout, and a dense layer: 98 thousand parameters. `features.3` is the stage with 128 channels.
 */
export class ConvNet extends Module {
  readonly features: Sequential;
  readonly pool = new GlobalMaxPool();
  readonly dropout: Dropout;
  readonly fc: Dense;

  constructor(classes: number, dropout: number) {
    super();
    this.features = new Sequential(
      CHANNELS.map(
        (channels) =>
          new Sequential([
            new Conv2d(channels, 3, { padding: 1, bias: false }),
            new BatchNorm(),
            new ReLU(),
            new MaxPool2d(2),
          ]),
      ),
    );
    this.dropout = new Dropout(dropout);
    this.fc = new Dense(classes);
  }

  /** input [N, height, width, 3], at least 16 × 16 → logits [N, classes] */
  override forward(input: Tensor): Tensor {
    return this.fc.forward(this.dropout.forward(this.pool.forward(this.features.forward(input))));
  }
}
