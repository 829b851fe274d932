// Times as people say them, in the language of their browser.

const DAY = 86_400_000; // ms
const dayTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const timeOnly = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** "9:41" today, "yesterday, 9:41", then the date. */
export function when(iso: string | null | undefined): string {
  if (!iso) return '';
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const days = Math.round((midnight(at) - midnight(new Date())) / DAY);
  if (days === 0) return timeOnly.format(at);
  if (days === -1 || days === 1) return `${relative.format(days, 'day')}, ${timeOnly.format(at)}`;
  return dayTime.format(at);
}

export function full(iso: string | null | undefined): string {
  if (!iso) return '';
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : dayTime.format(at);
}

/** How long from one time to another (or to now): "42 s", "3 min", "2 h 5 min", "4 d". */
export function lasted(from: string, to: string | null | undefined): string {
  const seconds = Math.max(0, ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000);
  if (seconds < 1) return '< 1 s';
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 60 * 24) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(minutes / 60 / 24)} d`;
}

function midnight(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}
