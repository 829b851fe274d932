// One instance: its diagram, its history, its variables, its incidents.

import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { authorized, call, problem, sentence } from '../shared/api';
import { full, lasted, when } from '../shared/dates';
import { Icon } from '../shared/icons';
import { Banner, Busy, Chip, Sheet } from '../shared/ui';
import { useChanges } from './changes';
import { Diagram } from './diagram';
import { StateChip } from './state';
import type { ElementInstance, Incident, InstanceView } from './types';

export function InstancePage({ id }: { id: string }): JSX.Element {
  const [view, setView] = useState<InstanceView>();
  const [xml, setXml] = useState<string>();
  const [error, setError] = useState<string>();
  const [chosen, setChosen] = useState<string | null>(null);
  const [canceling, setCanceling] = useState(false);
  const definition = view?.instance.processDefinitionKey;
  const loading = useRef<Promise<void> | null>(null);

  const load = useCallback(async () => {
    // Many events at once are one reading, and one more after it for those that came meanwhile.
    if (loading.current) await loading.current;
    loading.current ??= (async () => {
      try {
        setView(await call<InstanceView>('GET', `/console/api/instances/${id}`));
        setError(undefined);
      } catch (reason) {
        setError(sentence(reason));
      } finally {
        loading.current = null;
      }
    })();
    await loading.current;
  }, [id]);
  useEffect(() => void load(), [load]);
  useEffect(() => {
    if (!definition) return;
    authorized(`/console/api/definitions/${definition}/xml`)
      .then(async (answer) => {
        if (!answer.ok) throw await problem(answer);
        setXml(await answer.text());
      })
      .catch((reason: unknown) => setError(sentence(reason)));
  }, [definition]);
  useChanges(view?.instance.state === 'ACTIVE' ? `/console/api/instances/${id}/changes` : null, view?.position, () => void load());

  const act = async (work: () => Promise<unknown>) => {
    try {
      await work();
      await load();
    } catch (reason) {
      setError(sentence(reason));
    }
  };
  if (!view) return error ? <Banner tone="danger" icon="warn" alert>{error}</Banner> : <Busy>Fetching the instance</Busy>;
  const { instance } = view;
  const incidents = view.incidents.filter((incident) => incident.state === 'ACTIVE');
  const elements = chosen ? view.elements.filter((element) => element.elementId === chosen) : view.elements;
  return (
    <article class="wide">
      <a class="back" href="#/">
        <Icon name="back" /> All instances
      </a>
      <div class="screen-head">
        <div>
          <h1>{instance.businessId ?? instance.processInstanceKey}</h1>
          <p class="meta">
            {instance.processDefinitionName ?? instance.processDefinitionId} v{instance.processDefinitionVersion} · started{' '}
            {when(instance.startDate)} · {instance.state === 'ACTIVE' ? 'running for' : 'took'} {lasted(instance.startDate, instance.endDate)}
          </p>
        </div>
        <span class="head-actions">
          <StateChip instance={instance} />
          {instance.state === 'ACTIVE' && !instance.parentProcessInstanceKey ? (
            <button type="button" class="button ghost small" onClick={() => setCanceling(true)}>
              Cancel instance
            </button>
          ) : null}
        </span>
      </div>
      {error ? (
        <Banner tone="danger" icon="warn" alert>
          {error}
        </Banner>
      ) : null}
      {incidents.map((incident) => (
        <IncidentBanner key={incident.incidentKey} incident={incident} view={view} act={act} />
      ))}
      {xml ? <Diagram xml={xml} view={view} chosen={chosen} onChoose={setChosen} /> : <Busy>Fetching the diagram</Busy>}
      <Relatives view={view} />
      <div class="details">
        <History elements={elements} all={view.elements.length} chosen={chosen} onChoose={setChosen} />
        <Variables view={view} />
        <Jobs view={view} chosen={chosen} />
      </div>
      {canceling ? (
        <Sheet
          title={`Cancel ${instance.businessId ?? 'this instance'}?`}
          onClose={() => setCanceling(false)}
          actions={
            <>
              <button type="button" class="button quiet" onClick={() => setCanceling(false)}>
                Keep it running
              </button>
              <button
                type="button"
                class="button danger"
                onClick={() => {
                  setCanceling(false);
                  void act(() => call('DELETE', `/console/api/instances/${id}`));
                }}
              >
                Cancel it
              </button>
            </>
          }
        >
          <p>Everything that is active in it ends, also what it called. This cannot be undone.</p>
        </Sheet>
      ) : null}
    </article>
  );
}

function IncidentBanner(props: { incident: Incident; view: InstanceView; act: (work: () => Promise<unknown>) => Promise<void> }): JSX.Element {
  const { incident, view } = props;
  const [busy, setBusy] = useState(false);
  const element = view.elements.find((candidate) => candidate.elementId === incident.elementId);
  return (
    <Banner
      tone="danger"
      icon="warn"
      title={`${element?.elementName ?? incident.elementId} is stuck: ${incident.errorType.toLowerCase().replace(/_/g, ' ')}`}
      action={
        <button
          type="button"
          class="button primary"
          disabled={busy}
          onClick={() => {
            setBusy(true);
            void props.act(() => call('POST', `/console/api/incidents/${incident.incidentKey}/resolution`)).finally(() => setBusy(false));
          }}
        >
          <Icon name="retry" /> Retry
        </button>
      }
    >
      <span class="message-text">{incident.errorMessage}</span> <span class="meta">since {when(incident.creationTime)}</span>
    </Banner>
  );
}

function Relatives({ view }: { view: InstanceView }): JSX.Element | null {
  const parent = view.instance.parentProcessInstanceKey;
  if (!parent && !view.called.length) return null;
  return (
    <p class="relatives">
      {parent ? (
        <a href={`#/instance/${parent}`}>
          <Icon name="up" /> Called by another instance
        </a>
      ) : null}
      {view.called.map((called) => (
        <a key={called.processInstanceKey} href={`#/instance/${called.processInstanceKey}`}>
          <Icon name="next" /> Calls {called.processDefinitionName ?? called.processDefinitionId} <StateChip instance={called} />
        </a>
      ))}
    </p>
  );
}

const ELEMENT_CHIPS = {
  ACTIVE: { tone: 'brand', icon: 'clock', text: 'Active' },
  COMPLETED: { tone: 'ok', icon: 'check', text: 'Completed' },
  TERMINATED: { tone: 'plain', icon: 'cross', text: 'Ended' },
} as const;

function History(props: {
  elements: ElementInstance[];
  all: number;
  chosen: string | null;
  onChoose: (id: string | null) => void;
}): JSX.Element {
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>History</h2>
        {props.chosen ? (
          <button type="button" class="button ghost small" onClick={() => props.onChoose(null)}>
            <Icon name="cross" /> Show all {props.all}
          </button>
        ) : null}
      </div>
      {props.elements.length ? null : <p class="meta">This element has not been reached.</p>}
      <ol class="history">
        {props.elements
          .filter((element) => !/^PROCESS$/i.test(element.type))
          .map((element) => {
            const chip = ELEMENT_CHIPS[element.state];
            return (
              <li key={element.elementInstanceKey}>
                <button type="button" class="linklike" onClick={() => props.onChoose(element.elementId)}>
                  {element.elementName || element.elementId}
                </button>
                <span class="meta">{element.type.toLowerCase().replace(/_/g, ' ')}</span>
                <span class="history-state">
                  {element.hasIncident ? (
                    <Chip tone="danger" icon="warn">
                      Incident
                    </Chip>
                  ) : (
                    <Chip tone={chip.tone} icon={chip.icon}>
                      {chip.text}
                    </Chip>
                  )}
                  <span class="meta" title={full(element.startDate)}>
                    {when(element.startDate)}
                    {element.endDate ? `, ${lasted(element.startDate, element.endDate)}` : ''}
                  </span>
                </span>
              </li>
            );
          })}
      </ol>
    </section>
  );
}

function Variables({ view }: { view: InstanceView }): JSX.Element {
  const own = view.variables.filter((variable) => variable.scopeKey === view.instance.processInstanceKey);
  const local = view.variables.filter((variable) => variable.scopeKey !== view.instance.processInstanceKey);
  const scope = (key: string) => {
    const element = view.elements.find((candidate) => candidate.elementInstanceKey === key);
    return element ? element.elementName || element.elementId : key;
  };
  return (
    <section class="panel">
      <h2>Variables</h2>
      {own.length || local.length ? null : <p class="meta">None.</p>}
      <dl class="variables">
        {[...own, ...local].map((variable) => (
          <div key={variable.variableKey}>
            <dt>
              {variable.name}
              {own.includes(variable) ? null : <span class="meta"> in {scope(variable.scopeKey)}</span>}
            </dt>
            <dd>
              <pre tabIndex={0} aria-label={`Value of ${variable.name}`}>
                {pretty(variable.value)}
              </pre>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Jobs({ view, chosen }: { view: InstanceView; chosen: string | null }): JSX.Element | null {
  const jobs = chosen ? view.jobs.filter((job) => job.elementId === chosen) : view.jobs;
  if (!jobs.length) return null;
  return (
    <section class="panel">
      <h2>Jobs</h2>
      <ul class="history">
        {jobs.map((job) => (
          <li key={job.jobKey}>
            <strong>{job.type}</strong>
            <span class="meta">
              {job.retries} {job.retries === 1 ? 'retry' : 'retries'} left{job.worker ? `, by ${job.worker}` : ''}
            </span>
            <Chip tone={job.state === 'COMPLETED' ? 'ok' : job.errorMessage ? 'danger' : 'plain'}>
              {job.state.toLowerCase().replace(/_/g, ' ')}
            </Chip>
            {job.errorMessage ? <p class="message-text">{job.errorMessage}</p> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json; // cut short by the server
  }
}
