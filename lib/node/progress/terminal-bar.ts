import cliProgress from 'cli-progress';

/** Columns of the bar itself. */
const WIDTH = 24;

/** Where progress is shown: a stream of text, which may be a terminal, such as `process.stderr`. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

interface Line {
  readonly text: string;
}

/** A bar in the last line of a terminal, with a text behind it. It is drawn at most ten times a second. */
export class TerminalBar {
  readonly #bar: cliProgress.SingleBar;

  constructor(stream: ProgressStream, total: number, value: number, text: string) {
    this.#bar = new cliProgress.SingleBar({
      format: (_options, { progress }, line: Line) => `${drawn(progress)} ${line.text}`,
      stream,
      linewrap: true,
    });
    this.#bar.start(total, value, { text });
  }

  update(value: number, text: string): void {
    this.#bar.update(value, { text });
  }

  /** Draws it a last time, and leaves it there. */
  stop(): void {
    this.#bar.stop();
  }
}

function drawn(share: number): string {
  const filled = Math.min(Math.floor(share * WIDTH), WIDTH);
  return `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${String(Math.floor(100 * share)).padStart(3)} %`;
}

/** A time for people: `0:07`, `12:30`, `1:02:03`. */
export function clockText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-:--';
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
