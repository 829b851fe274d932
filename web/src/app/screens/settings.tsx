import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, sentence } from '../../shared/api';
import { signOut } from '../../shared/auth';
import { Icon } from '../../shared/icons';
import { Banner, Sheet } from '../../shared/ui';
import { useApp, useSync, useView } from '../context';
import { canInstall, install, onInstallChange } from '../install';
import { pushState, turnOff, turnOn, type PushState } from '../push';
import { S } from '../strings';

export function Settings(): JSX.Element {
  const { person } = useApp();
  const { unsent } = useView();
  const [leaving, setLeaving] = useState(false);
  return (
    <div class="screen narrow">
      <h1>{S.settings.title}</h1>
      <section class="panel person">
        <span class="avatar" aria-hidden="true">
          {person.name.slice(0, 1)}
        </span>
        <div>
          <p class="meta">{S.settings.account}</p>
          <strong>{person.name}</strong>
          {person.email ? <p class="meta">{person.email}</p> : null}
        </div>
        <button type="button" class="button quiet" onClick={() => setLeaving(true)}>
          <Icon name="out" /> {S.settings.signOut}
        </button>
      </section>
      <Channels />
      <Device />
      <p class="meta">
        <a href="/assets/licences.txt">{S.settings.about}</a>
      </p>
      {leaving ? (
        <Sheet
          title={S.settings.signOutTitle}
          onClose={() => setLeaving(false)}
          actions={
            <>
              <button type="button" class="button quiet" onClick={() => setLeaving(false)}>
                {S.detail.cancel}
              </button>
              <button type="button" class={unsent ? 'button danger' : 'button primary'} onClick={() => void signOut()}>
                {S.settings.signOut}
              </button>
            </>
          }
        >
          <p>{unsent ? S.settings.signOutUnsent(unsent) : S.settings.signOutText}</p>
        </Sheet>
      ) : null}
    </div>
  );
}

type Preferences = Record<string, unknown> & { channels?: Record<string, boolean> };

function Channels(): JSX.Element {
  const { config, person } = useApp();
  const sync = useSync();
  const [preferences, setPreferences] = useState<Preferences>();
  const [push, setPush] = useState<PushState>('off');
  const [note, setNote] = useState<{ text: string; bad: boolean }>();
  const offline = sync === 'offline' || sync === 'unreachable';
  useEffect(() => {
    void pushState().then(setPush);
    call<Preferences>('GET', `${config.notify}/preferences`).then(setPreferences, () => undefined);
  }, [sync === 'offline']);
  const guarded = async (work: () => Promise<void>) => {
    setNote(undefined);
    try {
      await work();
      setNote({ text: S.settings.saved, bad: false });
    } catch (error) {
      setNote({ text: sentence(error), bad: true });
    }
  };
  const channel = (name: string, on: boolean) =>
    guarded(async () => {
      const wanted = { ...preferences, channels: { ...preferences?.channels, [name]: on } };
      setPreferences((await call<Preferences | undefined>('PUT', `${config.notify}/preferences`, wanted)) ?? wanted);
    });
  const pushed = (on: boolean) => guarded(async () => setPush(on ? await turnOn(config.notify) : await turnOff(config.notify)));
  const pushText = { missing: S.settings.pushMissing, blocked: S.settings.pushBlocked, unset: S.settings.pushUnset };
  return (
    <section class="panel">
      <h2>{S.settings.channels}</h2>
      {offline ? <p class="hint">{S.settings.needsSignal}</p> : null}
      <Switch
        label={S.settings.email}
        text={S.settings.emailText(person.email ?? '')}
        on={preferences?.channels?.email ?? true}
        disabled={offline || !preferences}
        onChange={(on) => void channel('email', on)}
      />
      <Switch
        label={S.settings.push}
        text={pushText[push as keyof typeof pushText] ?? S.settings.pushText}
        on={push === 'on'}
        disabled={offline || push === 'missing' || push === 'blocked'}
        onChange={(on) => void pushed(on)}
      />
      {note ? (
        <Banner tone={note.bad ? 'danger' : 'ok'} icon={note.bad ? 'warn' : 'check'} alert={note.bad}>
          {note.text}
        </Banner>
      ) : null}
    </section>
  );
}

function Device(): JSX.Element | null {
  const [room, setRoom] = useState<{ used: string; quota: string }>();
  const [installable, setInstallable] = useState(canInstall());
  useEffect(() => {
    void navigator.storage?.estimate?.().then(({ usage, quota }) => {
      if (usage !== undefined && quota) setRoom({ used: bytes(usage), quota: bytes(quota) });
    });
    return onInstallChange(() => setInstallable(canInstall()));
  }, []);
  if (!room && !installable) return null;
  return (
    <section class="panel">
      <h2>{S.settings.storage}</h2>
      {room ? <p class="meta">{S.settings.storageText(room.used, room.quota)}</p> : null}
      {installable ? (
        <>
          <p>{S.settings.installText}</p>
          <button type="button" class="button quiet" onClick={() => void install()}>
            {S.settings.install}
          </button>
        </>
      ) : null}
    </section>
  );
}

function Switch(props: {
  label: string;
  text: ComponentChildren;
  on: boolean;
  disabled: boolean;
  onChange: (on: boolean) => void;
}): JSX.Element {
  return (
    <label class="switch">
      <span>
        <strong>{props.label}</strong>
        <span class="meta">{props.text}</span>
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={props.on}
        disabled={props.disabled}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
    </label>
  );
}

function bytes(count: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = count / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
