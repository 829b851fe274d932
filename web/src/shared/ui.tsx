// The few parts that all pages are made of.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icons';

export type Tone = 'plain' | 'brand' | 'ok' | 'warn' | 'danger';

export function Chip({ tone = 'plain', icon, children }: { tone?: Tone; icon?: IconName; children: ComponentChildren }) {
  return (
    <span class={`chip tone-${tone}`}>
      {icon ? <Icon name={icon} /> : null}
      {children}
    </span>
  );
}

export function Banner(props: {
  tone?: Tone;
  icon?: IconName;
  title?: string;
  children?: ComponentChildren;
  action?: ComponentChildren;
  alert?: boolean;
}): JSX.Element {
  return (
    <div class={`banner tone-${props.tone ?? 'plain'}`} role={props.alert ? 'alert' : 'status'}>
      {props.icon ? <Icon name={props.icon} /> : null}
      <div class="banner-text">
        {props.title ? <strong>{props.title}</strong> : null}
        {props.children ? <div>{props.children}</div> : null}
      </div>
      {props.action ? <div class="banner-action">{props.action}</div> : null}
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Busy({ children }: { children: ComponentChildren }) {
  return (
    <div class="booting" role="status">
      <span class="spinner" aria-hidden="true" />
      {children}
    </div>
  );
}

/** A modal question. The browser's own dialog keeps focus inside and closes on Escape. */
export function Sheet(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  actions: ComponentChildren;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current!;
    element.showModal();
    return () => element.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="sheet"
      aria-labelledby="sheet-title"
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onClick={(event) => event.target === dialog.current && props.onClose()}
    >
      <div class="sheet-body">
        <h2 id="sheet-title">{props.title}</h2>
        {props.children}
        <div class="sheet-actions">{props.actions}</div>
      </div>
    </dialog>
  );
}

/** The mark of the product. */
export function Mark(): JSX.Element {
  return <img class="mark" src="/assets/icons/icon.svg" alt="" width="32" height="32" />;
}
