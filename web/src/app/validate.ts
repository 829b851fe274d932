// The rules that a form's author gave, said in the person's words. The facade checks them again.

import type { Words } from '../shared/values';
import { S } from './strings';
import type { FormComponent, FormSchema, Values } from './types';

export type Errors = Record<string, string>;

const EMAIL = /^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$/;
const PHONE = /^\+?[0-9][0-9 ()/.-]{4,24}$/;

export function fields(schema: FormSchema): (FormComponent & { key: string })[] {
  return schema.components.flatMap((component) => {
    if (component.components) return fields({ components: component.components });
    return component.key ? [component as FormComponent & { key: string }] : [];
  });
}

/** The form's own words for its fields and options. */
export function words(schema: FormSchema | null): Words {
  const known = fields(schema ?? { components: [] });
  return {
    labels: Object.fromEntries(known.filter((field) => field.label).map((field) => [field.key, field.label!])),
    options: Object.fromEntries(
      known.map((field) => [field.key, Object.fromEntries((field.values ?? []).map((v) => [String(v.value), v.label]))]),
    ),
  };
}

/** The values that a new form starts with. */
export function defaults(schema: FormSchema): Values {
  return Object.fromEntries(
    fields(schema)
      .filter((field) => field.defaultValue !== undefined)
      .map((field) => [field.key, field.defaultValue]),
  );
}

/** Key -> sentence, in the order of the form; empty where all is well. */
export function check(schema: FormSchema, values: Values, files: Record<string, string[]> = {}): Errors {
  const errors: Errors = {};
  for (const field of fields(schema)) {
    const error = field.type === 'filepicker' ? checkFiles(field, files) : checkValue(field, values[field.key]);
    if (error) errors[field.key] = error;
  }
  return errors;
}

function checkFiles(field: FormComponent & { key: string }, files: Record<string, string[]>): string | undefined {
  return field.validate?.required && !files[field.key]?.length ? S.form.requiredFile : undefined;
}

function checkValue(field: FormComponent, value: unknown): string | undefined {
  const rules = field.validate ?? {};
  const missing = value === undefined || value === null || value === '' || (Array.isArray(value) && !value.length);
  if (field.type === 'checkbox') return rules.required && value !== true ? S.form.requiredTick : undefined;
  if (missing) {
    if (!rules.required) return undefined;
    return ['select', 'radio', 'checklist'].includes(field.type) ? S.form.requiredChoice : S.form.required;
  }
  if (field.type === 'number') {
    if (typeof value !== 'number') return S.form.number;
    if (rules.min !== undefined && value < rules.min) return S.form.min(rules.min);
    if (rules.max !== undefined && value > rules.max) return S.form.max(rules.max);
    return undefined;
  }
  if (typeof value !== 'string') return undefined;
  if (field.type === 'textfield' && rules.required && !value.trim()) return S.form.required;
  if (rules.minLength !== undefined && value.trim().length < rules.minLength) return S.form.minLength(rules.minLength);
  if (rules.maxLength !== undefined && value.length > rules.maxLength) return S.form.maxLength(rules.maxLength);
  if (rules.validationType === 'email' && !EMAIL.test(value)) return S.form.email;
  if (rules.validationType === 'phone' && !PHONE.test(value)) return S.form.phone;
  if (rules.pattern && !new RegExp(rules.pattern).test(value)) return S.form.pattern;
  return undefined;
}
