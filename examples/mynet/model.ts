import { Dense, Dropout, Module, relu, type Tensor } from 'kernelwright';

/**
 * The article's net: picture -> Dense -> ReLU -> Dropout -> Dense, giving logits. Its parameters have the names and
 * layouts of the PyTorch model: fc1.weight [hidden, 2352], fc1.bias, fc2.weight [classes, hidden], fc2.bias.
 */
export class MyNet extends Module {
  readonly fc1: Dense;
  readonly dropout: Dropout;
  readonly fc2: Dense;

  constructor(hidden: number, classes: number, dropout: number) {
    super();
    this.fc1 = new Dense(hidden);
    this.dropout = new Dropout(dropout);
    this.fc2 = new Dense(classes);
  }

  /** input [N, 2352], flattened in the order channel, row, column → logits [N, classes] */
  override forward(input: Tensor): Tensor {
    return this.fc2.forward(this.dropout.forward(relu(this.fc1.forward(input))));
  }
}
