import { FONT_FAMILY } from './font.js';
import { type Colours, DARK, LIGHT } from './theme.js';

/** Pictures are drawn in the light colours: where it is dark, a page has others in their place. */
function recoloured(): string {
  const names = Object.keys(LIGHT) as (keyof Colours)[];
  return names
    .flatMap((name) => ['fill', 'stroke'].map((kind) => `.chart [${kind}="${LIGHT[name]}"]{${kind}:${DARK[name]}}`))
    .join('\n');
}

function variables(colours: Colours): string {
  return Object.entries(colours)
    .map(([name, colour]) => `--${name}:${String(colour)};`)
    .join('');
}

/** The style of a page, for light and dark surroundings, and for print. */
export function pageStyle(): string {
  return `
:root { color-scheme: light dark; ${variables(LIGHT)} }
@media screen and (prefers-color-scheme: dark) {
:root { ${variables(DARK)} }
${recoloured()}
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 ${FONT_FAMILY}; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--grid); padding-bottom: .25rem; }
p { margin: .25rem 0 .75rem; max-width: 44rem; overflow-wrap: anywhere; }
.subtitle, figcaption, summary { color: var(--muted); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem; margin: 1rem 0; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0 0 1rem; min-width: 0; }
.charts, .cells { display: flex; flex-wrap: wrap; gap: 1rem; }
.chart { overflow-x: auto; max-width: 100%; }
.chart:focus-visible { outline: 2px solid var(--blue); }
.chart svg { display: block; }
details { margin: .5rem 0 1rem; }
summary { cursor: pointer; }
.table { overflow: auto; max-width: 100%; max-height: 30rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .75rem .2rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); font-weight: normal; }
thead th { color: var(--muted); }
.number { text-align: right; white-space: nowrap; }
@media print { main { max-width: none; } details, .charts figure { break-inside: avoid; } }
`;
}
