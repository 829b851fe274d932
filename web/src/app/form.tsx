// A start form on the phone: the form-js components that a person fills in with a thumb.

import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Icon } from '../shared/icons';
import { Markdown } from '../shared/markdown';
import { FileTooLarge, prepare, type Prepared } from './photos';
import { S } from './strings';
import type { FormComponent, FormSchema, Values } from './types';
import type { Errors } from './validate';

export interface FormProps {
  schema: FormSchema;
  values: Values;
  files?: Record<string, string[]>;
  errors: Errors;
  onChange: (key: string, value: unknown) => void;
  onAdd?: (key: string, prepared: Prepared[]) => Promise<void>;
  onRemove?: (key: string, name: string) => Promise<void>;
  picture?: (name: string) => Promise<Blob>;
}

export function Form(props: FormProps): JSX.Element {
  return (
    <>
      {props.schema.components.map((component, index) => (
        <Component key={component.id ?? component.key ?? index} component={component} {...props} />
      ))}
    </>
  );
}

function Component({ component, ...props }: FormProps & { component: FormComponent }): JSX.Element | null {
  const { type, key } = component;
  if (type === 'text') return <Markdown text={component.text ?? ''} />;
  if (type === 'separator') return <hr />;
  if (type === 'spacer' || type === 'button') return null;
  if (type === 'group') {
    return (
      <fieldset class="group">
        {component.label ? <legend>{component.label}</legend> : null}
        <Form {...props} schema={{ components: component.components ?? [] }} />
      </fieldset>
    );
  }
  if (!key) return <p class="note">{S.form.unsupported(type)}</p>;
  if (type === 'checkbox') return <Tick {...props} component={component} name={key} />;
  if (type === 'radio' || type === 'checklist') return <Choices {...props} component={component} name={key} />;
  if (type === 'filepicker') return <Files {...props} component={component} name={key} />;
  if (['textfield', 'textarea', 'number', 'select', 'datetime'].includes(type)) {
    return <Field {...props} component={component} name={key} />;
  }
  return <p class="note">{S.form.unsupported(type)}</p>;
}

interface Part extends FormProps {
  component: FormComponent;
  name: string;
}

function Label({ component, id }: { component: FormComponent; id: string }) {
  return (
    <label for={id} class="label">
      {component.label ?? component.dateLabel ?? component.key}
      {component.validate?.required ? null : <span class="optional"> ({S.form.optional})</span>}
    </label>
  );
}

function Hints({ component, error, id }: { component: FormComponent; error?: string; id: string }) {
  return (
    <>
      {component.description ? (
        <p class="hint" id={`${id}-hint`}>
          {component.description}
        </p>
      ) : null}
      {error ? (
        <p class="field-error" id={`${id}-error`}>
          <Icon name="warn" /> {error}
        </p>
      ) : null}
    </>
  );
}

function described(component: FormComponent, error: string | undefined, id: string) {
  const by = [component.description ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return { 'aria-describedby': by || undefined, 'aria-invalid': error ? ('true' as const) : undefined };
}

function Field({ component, name, values, errors, onChange }: Part): JSX.Element {
  const id = useId();
  const error = errors[name];
  const value = values[name];
  const common = {
    id,
    name,
    required: component.validate?.required,
    disabled: component.disabled,
    ...described(component, error, id),
  };
  const text = value === undefined || value === null ? '' : String(value);
  const changed = (event: JSX.TargetedEvent<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>) => {
    onChange(name, read(component, event.currentTarget.value));
  };
  let control: JSX.Element;
  if (component.type === 'textarea') {
    control = <textarea {...common} rows={4} value={text} readOnly={component.readonly} onInput={changed} />;
  } else if (component.type === 'select') {
    control = (
      <select {...common} value={text} onChange={changed}>
        <option value="">{S.form.none}</option>
        {(component.values ?? []).map((option) => (
          <option key={String(option.value)} value={String(option.value)}>
            {option.label}
          </option>
        ))}
      </select>
    );
  } else {
    control = (
      <input
        {...common}
        {...inputKind(component)}
        value={component.type === 'datetime' ? localTime(text, component) : text}
        readOnly={component.readonly}
        onInput={changed}
      />
    );
  }
  return (
    <div class={error ? 'field invalid' : 'field'}>
      <Label component={component} id={id} />
      {control}
      <Hints component={component} error={error} id={id} />
    </div>
  );
}

function inputKind(component: FormComponent): JSX.IntrinsicElements['input'] {
  if (component.type === 'number') return { type: 'text', inputMode: 'decimal' };
  if (component.type === 'datetime') {
    return { type: component.subtype === 'time' ? 'time' : component.subtype === 'datetime' ? 'datetime-local' : 'date' };
  }
  if (component.validate?.validationType === 'email') return { type: 'email', autocomplete: 'email' };
  if (component.validate?.validationType === 'phone') return { type: 'tel', autocomplete: 'tel' };
  return { type: 'text' };
}

/** What was typed, as the JSON that the process wants; a number that is none stays text and is complained of. */
function read(component: FormComponent, text: string): unknown {
  if (text === '') return undefined;
  if (component.type === 'number') {
    const number = Number(text.replace(',', '.'));
    return Number.isFinite(number) ? number : text;
  }
  if (component.type === 'select') return option(component, text);
  if (component.type === 'datetime' && component.subtype === 'datetime') {
    const at = new Date(text);
    return Number.isNaN(at.getTime()) ? text : at.toISOString();
  }
  return text;
}

function option(component: FormComponent, text: string): unknown {
  return component.values?.find((candidate) => String(candidate.value) === text)?.value ?? text;
}

/** An ISO time as the browser's own picker writes it: local, without a zone. */
function localTime(text: string, component: FormComponent): string {
  if (component.subtype !== 'datetime' || !text.endsWith('Z')) return text;
  const at = new Date(text);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function Tick({ component, name, values, errors, onChange }: Part): JSX.Element {
  const id = useId();
  return (
    <div class={errors[name] ? 'field invalid' : 'field'}>
      <label class="choice" for={id}>
        <input
          id={id}
          name={name}
          type="checkbox"
          checked={values[name] === true}
          onChange={(event) => onChange(name, event.currentTarget.checked)}
          {...described(component, errors[name], id)}
        />
        <span>{component.label}</span>
      </label>
      <Hints component={component} error={errors[name]} id={id} />
    </div>
  );
}

function Choices({ component, name, values, errors, onChange }: Part): JSX.Element {
  const id = useId();
  const many = component.type === 'checklist';
  const chosen = many ? ((values[name] as unknown[] | undefined) ?? []) : [values[name]];
  const pick = (value: unknown, on: boolean) => {
    if (!many) return onChange(name, value);
    const rest = chosen.filter((other) => other !== value);
    onChange(name, on ? [...rest, value] : rest);
  };
  return (
    <fieldset class={errors[name] ? 'field invalid' : 'field'} {...described(component, errors[name], id)}>
      <legend class="label">
        {component.label}
        {component.validate?.required ? null : <span class="optional"> ({S.form.optional})</span>}
      </legend>
      {(component.values ?? []).map((candidate) => (
        <label class="choice" key={String(candidate.value)}>
          <input
            type={many ? 'checkbox' : 'radio'}
            name={name}
            value={String(candidate.value)}
            checked={chosen.includes(candidate.value)}
            onChange={(event) => pick(candidate.value, event.currentTarget.checked)}
          />
          <span>{candidate.label}</span>
        </label>
      ))}
      <Hints component={component} error={errors[name]} id={id} />
    </fieldset>
  );
}

function Files({ component, name, files, errors, onAdd, onRemove, picture }: Part): JSX.Element {
  const id = useId();
  const [trouble, setTrouble] = useState<string>();
  const [busy, setBusy] = useState(false);
  const names = files?.[name] ?? [];
  const pictures = (component.accept ?? '').includes('image') || !component.accept;
  const many = component.multiple !== false;
  const add = async (event: JSX.TargetedEvent<HTMLInputElement>) => {
    const input = event.currentTarget;
    const chosen = [...(input.files ?? [])];
    input.value = '';
    setBusy(true);
    setTrouble(undefined);
    const ready: Prepared[] = [];
    for (const file of chosen) {
      try {
        ready.push(await prepare(file));
      } catch (error) {
        setTrouble(error instanceof FileTooLarge ? S.form.tooBig(file.name) : S.form.photoFailed(file.name));
      }
    }
    try {
      if (ready.length) await onAdd?.(name, ready);
    } finally {
      setBusy(false);
    }
  };
  const error = trouble ?? errors[name];
  return (
    <fieldset class={error ? 'field invalid' : 'field'} {...described(component, error, id)}>
      <legend class="label">
        {component.label}
        {component.validate?.required ? null : <span class="optional"> ({S.form.optional})</span>}
      </legend>
      {names.length ? (
        <ul class="thumbs">
          {names.map((file, index) => (
            <li key={file}>
              <Thumb load={() => picture!(file)} alt={S.form.photo(index + 1)} name={file} />
              <button type="button" class="thumb-remove" aria-label={S.form.removePhoto(index + 1)} onClick={() => void onRemove?.(name, file)}>
                <Icon name="cross" />
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      <div class="file-buttons" aria-busy={busy}>
        {pictures ? (
          <label class="button quiet file-button">
            <Icon name="camera" /> {S.form.take}
            <input type="file" accept="image/*" capture="environment" onChange={(event) => void add(event)} />
          </label>
        ) : null}
        <label class="button quiet file-button">
          <Icon name="file" /> {pictures ? S.form.choosePhotos : S.form.chooseFile}
          <input type="file" name={name} accept={component.accept} multiple={many} onChange={(event) => void add(event)} />
        </label>
      </div>
      <Hints component={component} error={error} id={id} />
    </fieldset>
  );
}

/** A picture out of the phone's database or the server; its object URL is given back when it goes. */
export function Thumb({ load, alt, name }: { load: () => Promise<Blob>; alt: string; name: string }): JSX.Element {
  const [url, setUrl] = useState<string>();
  const [failed, setFailed] = useState(false);
  const loader = useRef(load);
  loader.current = load;
  useEffect(() => {
    let made: string | undefined;
    let gone = false;
    loader.current().then(
      (blob) => {
        if (gone) return;
        if (!blob.type.startsWith('image/')) return setFailed(true);
        made = URL.createObjectURL(blob);
        setUrl(made);
      },
      () => !gone && setFailed(true),
    );
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [name]);
  if (url) return <img class="thumb" src={url} alt={alt} />;
  return (
    <span class={failed ? 'thumb thumb-file' : 'thumb thumb-loading'} role="img" aria-label={alt}>
      {failed ? <Icon name="file" /> : null}
    </span>
  );
}
