// One family of line icons, drawn on a grid of 24.

import type { JSX } from 'preact';

const PATHS = {
  list: 'M5 6h14M5 12h14M5 18h9',
  plus: 'M12 5v14M5 12h14',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5h4',
  gear: 'M4 7h10M18 7h2M4 17h2M10 17h10M14 4.8v4.4M10 14.8v4.4M14 7h4M6 17h4',
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  cross: 'M6 6l12 12M18 6L6 18',
  clock: 'M12 7v5l3.5 2M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z',
  cloud: 'M7 18a4 4 0 0 1-.6-7.95A5.5 5.5 0 0 1 17 9.2a4.4 4.4 0 0 1 .5 8.8z',
  offline: 'M4 4l16 16M7 18a4 4 0 0 1-.6-7.95 5.6 5.6 0 0 1 1-2.2M10.2 6.1A5.5 5.5 0 0 1 17 9.2a4.4 4.4 0 0 1 2.9 7.4',
  up: 'M12 19V6M6.5 11.5L12 6l5.5 5.5',
  warn: 'M12 4.5L21 19.5H3zM12 10v4M12 16.6v.2',
  camera: 'M4 8h3.5L9 5.5h6L16.5 8H20v11H4zM12 16.2a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  file: 'M7 3.5h7l4 4v13H7zM14 3.5V8h4',
  trash: 'M5 7h14M9.5 7V4.5h5V7M7 7l1 12.5h8L17 7M10.5 11v5M13.5 11v5',
  pencil: 'M5 19l.8-4L16 4.8l3.2 3.2L9 18.2zM14 7l3 3',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.6-4 3.4-6 7.5-6s6.9 2 7.5 6',
  people: 'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.5c.4-3.6 2.9-5.5 6.5-5.5s6.1 1.9 6.5 5.5M16 5a3.3 3.3 0 0 1 0 6.3M17.5 14.3c2.4.6 3.7 2.4 4 5.2',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20.5 20.5',
  retry: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15',
  out: 'M14 4.5H5.5v15H14M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5',
  flag: 'M6 21V4M6 5h11l-2 4 2 4H6',
  boat: 'M3.5 14h17l-2.5 5h-12zM12 14V4.5l6 6.5h-6',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, label }: { name: IconName; label?: string }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden={label ? undefined : 'true'} role={label ? 'img' : undefined}>
      {label ? <title>{label}</title> : null}
      <path d={PATHS[name]} />
    </svg>
  );
}
