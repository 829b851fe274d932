// Live refresh: a long poll a view, ended with it.

import { useEffect } from 'preact/hooks';
import { call, Problem } from '../shared/api';
import { SignInNeeded } from '../shared/auth';

const PAUSE = 3_000; // ms after a failed poll

/** Calls `onChange` whenever `url` tells of something after `position`; stops when the view goes. */
export function useChanges(url: string | null, position: string | undefined, onChange: () => void): void {
  useEffect(() => {
    if (!url || position === undefined) return;
    let left = false;
    let at = position;
    const listen = async () => {
      while (!left) {
        try {
          const told = await call<{ changed: boolean; position: string }>('GET', `${url}?after=${encodeURIComponent(at)}`);
          at = told.position;
          if (told.changed && !left) onChange();
        } catch (error) {
          if (error instanceof SignInNeeded || (error instanceof Problem && error.status === 403)) return;
          await new Promise((done) => setTimeout(done, PAUSE));
        }
      }
    };
    void listen();
    return () => {
      left = true;
    };
  }, [url, position === undefined]);
}
