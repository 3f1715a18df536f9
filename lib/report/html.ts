/** A text as it stands between tags and in attributes of HTML and SVG. */
export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** What stands in a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** HTML with values in it: texts and numbers are escaped, {@link Html} and lists of it stand as they are. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[] | undefined)[]
): Html {
  const shown = values.map((value) => {
    if (value === undefined) return '';
    if (value instanceof Html) return value.text;
    return typeof value === 'object' ? value.map(({ text }) => text).join('\n') : escapeText(String(value));
  });
  return new Html(String.raw({ raw: parts }, ...shown));
}

/** A table: the names of its columns, and rows whose first entry names the row. Numbers stand on the right. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function tableHtml({ columns, rows }: Table): Html {
  const head = columns.map((name) => html`<th scope="col">${name}</th>`);
  const body = rows.map(([name = '', ...cells]) => {
    const own = cells.map((cell) =>
      /^[\d–-]/.test(cell) ? html`<td class="number">${cell}</td>` : html`<td>${cell}</td>`,
    );
    return html`<tr>
      <th scope="row">${name}</th>
      ${own}
    </tr>`;
  });
  return html`<table>
    <thead>
      <tr>
        ${head}
      </tr>
    </thead>
    <tbody>
      ${body}
    </tbody>
  </table>`;
}
