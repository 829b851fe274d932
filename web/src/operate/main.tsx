// The operator's page: what runs, where it stands, and what is stuck.

import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { call, sentence } from '../shared/api';
import { open, useHash } from '../shared/console';
import { lasted, when } from '../shared/dates';
import { Banner, Busy, Empty } from '../shared/ui';
import { useChanges } from './changes';
import { InstancePage } from './instance';
import { StateChip } from './state';
import type { Definition, Instance, SearchResult } from './types';

const TYPING = 300; // ms without a key press before a search is made

interface Filters {
  process: string;
  state: string;
  businessId: string;
}

function Operate(): JSX.Element {
  const [first = '', key = ''] = useHash();
  return first === 'instance' && key ? <InstancePage key={key} id={key} /> : <Instances />;
}

function Instances(): JSX.Element {
  const [filters, setFilters] = useState<Filters>({ process: '', state: '', businessId: '' });
  const [definitions, setDefinitions] = useState<Definition[]>([]);
  const [result, setResult] = useState<SearchResult<Instance>>();
  const [position, setPosition] = useState<string>();
  const [error, setError] = useState<string>();
  const limit = useRef(50);
  const latest = useRef(filters);
  latest.current = filters;

  const load = useCallback(async () => {
    const { process, state, businessId } = latest.current;
    const query = new URLSearchParams({ limit: String(limit.current) });
    if (process) query.set('process', process);
    if (state === 'INCIDENT') query.set('incident', 'true');
    else if (state) query.set('state', state);
    if (businessId.trim()) query.set('businessId', businessId.trim());
    try {
      setResult(await call('GET', `/console/api/instances?${query}`));
      setError(undefined);
    } catch (reason) {
      setError(sentence(reason));
    }
  }, []);
  useEffect(() => {
    void call<{ position: string }>('GET', '/console/api/changes?after=latest').then(
      (told) => setPosition(told.position),
      () => undefined, // load() says what is wrong
    );
    void call<SearchResult<Definition>>('GET', '/console/api/processes').then(
      (found) => setDefinitions(found.items),
      () => undefined,
    );
  }, []);
  useEffect(() => {
    limit.current = 50;
    const timer = setTimeout(() => void load(), filters.businessId ? TYPING : 0);
    return () => clearTimeout(timer);
  }, [filters.process, filters.state, filters.businessId]);
  useChanges('/console/api/changes', position, () => void load());

  const names = new Map(definitions.map((definition) => [definition.processDefinitionId, definition.name]));
  const set = (name: keyof Filters) => (event: JSX.TargetedEvent<HTMLInputElement | HTMLSelectElement>) =>
    setFilters({ ...filters, [name]: event.currentTarget.value });
  const stuck = result?.items.filter((instance) => instance.hasIncident).length ?? 0;
  return (
    <div class="wide">
      <div class="screen-head">
        <h1>Process instances</h1>
        <span class="meta" role="status">
          {result ? `${result.page.totalItems} found${stuck ? `, ${stuck} of those shown with an incident` : ''}` : ''}
        </span>
      </div>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span class="label">Process</span>
          <select value={filters.process} onChange={set('process')}>
            <option value="">All</option>
            {[...names].map(([id, name]) => (
              <option key={id} value={id}>
                {name ?? id}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="label">State</span>
          <select value={filters.state} onChange={set('state')}>
            <option value="">All</option>
            <option value="ACTIVE">Running</option>
            <option value="INCIDENT">With an incident</option>
            <option value="COMPLETED">Completed</option>
            <option value="TERMINATED">Canceled</option>
          </select>
        </label>
        <label>
          <span class="label">Business id</span>
          <input type="search" value={filters.businessId} placeholder="C-…" onInput={set('businessId')} />
        </label>
      </form>
      {error ? (
        <Banner tone="danger" icon="warn" alert>
          {error}
        </Banner>
      ) : null}
      {!result && !error ? <Busy>Fetching instances</Busy> : null}
      {result && !result.items.length ? <Empty icon="search" title="Nothing matches" /> : null}
      {result?.items.length ? (
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">Business id</th>
              <th scope="col">Process</th>
              <th scope="col">State</th>
              <th scope="col">Started</th>
              <th scope="col">Took</th>
            </tr>
          </thead>
          <tbody>
            {result.items.map((instance) => (
              <tr key={instance.processInstanceKey}>
                <td class="cell-id">
                  <a href={`#/instance/${instance.processInstanceKey}`}>{instance.businessId ?? instance.processInstanceKey}</a>
                </td>
                <td data-label="Process">
                  {instance.processDefinitionName ?? instance.processDefinitionId}{' '}
                  <span class="meta">v{instance.processDefinitionVersion}</span>
                </td>
                <td data-label="State">
                  <StateChip instance={instance} />
                </td>
                <td data-label="Started">{when(instance.startDate)}</td>
                <td data-label="Took">{lasted(instance.startDate, instance.endDate)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
      {result?.page.hasMoreTotalItems || (result && result.items.length < result.page.totalItems && limit.current < 200) ? (
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            limit.current = 200;
            void load();
          }}
        >
          Show more
        </button>
      ) : null}
    </div>
  );
}


void open({ title: 'Operate', path: '/console/operate', role: 'operator', content: () => <Operate /> });
