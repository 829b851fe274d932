// Any JSON value as a person reads it.

import type { JSX } from 'preact';
import { full } from './dates';

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;

/** "policyNumber" -> "Policy number". */
export function spoken(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'number') return value.toLocaleString();
  if (typeof value === 'string') return ISO_TIME.test(value) ? full(value) : value;
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  return Object.values(value as object).map(textOf).join(', ');
}

/** What a form calls its fields and their options, so that what was filled in reads as it was asked. */
export interface Words {
  labels: Record<string, string>;
  options: Record<string, Record<string, string>>;
}

interface FactsProps {
  data: Record<string, unknown>;
  skip?: string[];
  words?: Words;
}

/** Names and values; an object inside becomes a group of its own, a money object one amount. */
export function Facts({ data, skip = [], words }: FactsProps): JSX.Element | null {
  const rows = Object.entries(data).filter(([name, value]) => !skip.includes(name) && value !== null && value !== undefined);
  if (!rows.length) return null;
  return (
    <dl class="facts">
      {rows.map(([name, value]) => {
        const group = isObject(value) && !money(value) ? value : null;
        return (
          <div key={name} class={group ? 'nested' : undefined}>
            <dt>{words?.labels[name] ?? spoken(name)}</dt>
            <dd>{group ? <Facts data={group} /> : isObject(value) ? money(value) : (words?.options[name]?.[String(value)] ?? textOf(value))}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function money(value: Record<string, unknown>): string | null {
  const { amount, currency, ...rest } = value;
  if (typeof amount !== 'number' || typeof currency !== 'string' || Object.keys(rest).length) return null;
  return amount.toLocaleString(undefined, { style: 'currency', currency });
}
