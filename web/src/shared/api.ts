// Calls with the person's token; a refusal is a Problem (RFC 9457).

import { accessToken, SignInNeeded } from './auth';

export interface FieldError {
  field?: string;
  path?: string;
  key?: string;
  message?: string;
  detail?: string;
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    detail: string,
    readonly errors: (string | FieldError)[] = [],
  ) {
    super(detail);
  }
}

/** fetch with the bearer token; a token that is refused is renewed once. */
export async function authorized(url: string, init: RequestInit = {}): Promise<Response> {
  const send = async (token: string) => {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${token}`);
    return fetch(url, { ...init, headers });
  };
  const answer = await send(await accessToken());
  if (answer.status !== 401) return answer;
  return send(await accessToken(true));
}

/** JSON in, JSON out (undefined for an empty answer). Throws Problem, SignInNeeded, or TypeError when offline. */
export async function call<T>(method: string, url: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: { Accept: 'application/json' } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, 'Content-Type': 'application/json' };
  }
  const answer = await authorized(url, init);
  if (!answer.ok) throw await problem(answer);
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export async function problem(answer: Response): Promise<Problem> {
  try {
    const body = (await answer.json()) as { title?: string; detail?: string; errors?: (string | FieldError)[] };
    return new Problem(answer.status, body.title ?? '', body.detail ?? answer.statusText, body.errors);
  } catch {
    return new Problem(answer.status, answer.statusText, `The service answered ${answer.status}.`);
  }
}

/** A sentence that a person can act on. */
export function sentence(error: unknown): string {
  if (error instanceof SignInNeeded) return 'Your sign-in has ended. Please sign in again.';
  if (error instanceof Problem) {
    const more = error.errors.map(fieldSentence).filter(Boolean).join(' ');
    if (error.status === 403) return `You may not do this. ${error.message}`;
    if (error.status === 429) return 'Too many requests at once. Please wait a moment and try again.';
    return more && !error.message.includes(more) ? `${error.message} ${more}` : error.message;
  }
  if (error instanceof TypeError) return 'There is no connection to the service right now. Please try again.';
  return error instanceof Error ? error.message : String(error);
}

export function fieldSentence(error: string | FieldError): string {
  if (typeof error === 'string') return error;
  const text = error.message ?? error.detail ?? '';
  const name = error.field ?? error.key ?? error.path;
  return name && !text.includes(name) ? `${name}: ${text}` : text;
}
