/** Colours of pictures: on paper, and what a page puts in their place in dark surroundings. */
export interface Colours {
  readonly paper: string;
  /** Titles and numbers. */
  readonly ink: string;
  /** Labels of axes, names of files. */
  readonly muted: string;
  readonly grid: string;
  readonly frame: string;
  /** Training, and right answers. */
  readonly blue: string;
  /** Validation, and wrong answers. */
  readonly orange: string;
  /** Neither right nor wrong. */
  readonly grey: string;
}

/** Blue and orange are Okabe and Ito's, which people with any kind of colour vision tell apart. */
export const LIGHT: Colours = {
  paper: '#ffffff',
  ink: '#1f2328',
  muted: '#59636e',
  grid: '#e6e8eb',
  frame: '#b6bcc4',
  blue: '#0072b2',
  orange: '#d55e00',
  grey: '#98a2ad',
};

/** As bright on a dark page as the others are dark on a bright one. */
export const DARK: Colours = {
  paper: '#12161b',
  ink: '#e6e9ec',
  muted: '#a3aeb9',
  grid: '#2b323a',
  frame: '#57606a',
  blue: '#56b4e9',
  orange: '#ff8f40',
  grey: '#6b7681',
};
