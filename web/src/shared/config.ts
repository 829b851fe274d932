// What the pages are told by their service, kept for when it cannot be asked.

export interface AppConfig {
  title: string;
  issuer: string;
  clientId: string;
  scope: string;
  sync: string;
  notify: string;
  catalog: string;
}

let asked: Promise<AppConfig> | undefined;

export function appConfig(): Promise<AppConfig> {
  asked ??= remembered<AppConfig>('/app/config.json').catch((error: unknown) => {
    asked = undefined;
    throw error;
  });
  return asked;
}

/** JSON from `url`, or the answer of last time where it cannot be had now. */
export async function remembered<T>(url: string): Promise<T> {
  const key = `towpath.kept:${url}`;
  try {
    const answer = await fetch(url, { headers: { Accept: 'application/json' } });
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}.`);
    const text = await answer.text();
    const value = JSON.parse(text) as T;
    localStorage.setItem(key, text);
    return value;
  } catch (error) {
    const kept = localStorage.getItem(key);
    if (kept) return JSON.parse(kept) as T;
    throw error;
  }
}
