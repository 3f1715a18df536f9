import { printable } from '../printable.js';
import type { ReportContents } from './contents.js';
import { curvesOf, showValue } from './curves.js';
import type { Figure } from './figures.js';
import { Html, html, tableHtml } from './html.js';
import { answerOf, percent } from './predictions.js';
import { pageStyle } from './style.js';

/** A report as one HTML file: pictures, style and all in it, and no script. */
export async function pageOf(contents: ReportContents, figures: readonly Figure[]): Promise<string> {
  const { title, subtitle } = contents;
  const sections: Html[] = [];
  for (const figure of figures) sections.push(await section(figure));
  const facts = Object.entries({ ...results(contents), ...contents.facts }).map(
    ([name, value]) =>
      html`<dt>${printable(name)}</dt>
        <dd>${printable(String(value))}</dd>`,
  );
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"
        />
        <title>${printable(title)}</title>
        <style>
          ${new Html(pageStyle())}
        </style>
      </head>
      <body>
        <main>
          <h1>${printable(title)}</h1>
          ${subtitle === undefined ? undefined : html`<p class="subtitle">${printable(subtitle)}</p>`}
          ${facts.length > 0 ? html`<dl>${facts}</dl>` : undefined} ${sections}
        </main>
      </body>
    </html> `.text;
}

/** What may be wider than the page scrolls, with the keyboard as well. */
const SCROLLS = new Html('tabindex="0" role="group"');

async function section({ name, title, caption, parts, areCells, table }: Figure): Promise<Html> {
  const charts = (await parts()).map((svg) =>
    areCells
      ? html`<div class="chart">${new Html(svg)}</div>`
      : html`<div class="chart" ${SCROLLS} aria-label="${title}">${new Html(svg)}</div>`,
  );
  const numbers =
    table &&
    html`<details>
      <summary>${title} in numbers</summary>
      <div class="table" ${SCROLLS} aria-label="${title} in numbers">${tableHtml(table)}</div>
    </details>`;
  return html`<section id="${name}">
    <h2>${title}</h2>
    <figure>
      <figcaption><p>${caption}</p></figcaption>
      <div class="charts">${charts}</div>
    </figure>
    ${numbers}
  </section>`;
}

/** What stands at the top: how the training ended, and how good the model is. */
function results({ history, predictions = [] }: ReportContents): Record<string, string> {
  const found: Record<string, string> = {};
  if (history) {
    const [loss, ...metrics] = curvesOf(history);
    const epochs = history.loss.length;
    found['Epochs'] = String(epochs);
    for (const curve of loss ? [loss, ...metrics] : []) {
      const last = showValue(curve, curve.training.at(-1));
      const held = curve.validation.length > 0 ? `, validation ${showValue(curve, curve.validation.at(-1))}` : '';
      found[`Final ${curve.name}`] = `${last}${held}`;
    }
    const validated = loss?.validation.filter((value) => Number.isFinite(value)) ?? [];
    if (loss && validated.length > 0) {
      const lowest = Math.min(...validated);
      const epoch = loss.validation.indexOf(lowest) + 1;
      found['Lowest validation loss'] = `${showValue(loss, lowest)}, after epoch ${epoch}`;
    }
  }
  const labelled = predictions.map(answerOf).filter(({ isRight }) => isRight !== undefined);
  if (labelled.length > 0) {
    const right = labelled.filter(({ isRight }) => isRight).length;
    found['Right predictions'] = `${percent(right / labelled.length)} (${right} of ${labelled.length})`;
  }
  return found;
}
