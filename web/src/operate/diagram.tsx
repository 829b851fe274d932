// The instance on its diagram: what was done, what is active, what is stuck.

import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../shared/icons';
import type { InstanceView } from './types';

const PADDING = 24; // px around the diagram
const NARROW = 700; // px; narrower than this, the whole diagram would be too small to read
const LEGIBLE = 0.7; // the zoom that is used then

interface Canvas {
  zoom(level?: number | 'fit-viewport', center?: { x: number; y: number } | 'auto'): number;
  viewbox(box?: object): { inner: { x: number; y: number; width: number; height: number }; outer: { width: number; height: number } };
  addMarker(element: string, marker: string): void;
  removeMarker(element: string, marker: string): void;
  resized(): void;
}

interface Shape {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Overlays {
  add(element: string, kind: string, overlay: { position: object; html: HTMLElement }): void;
  remove(filter: { type: string }): void;
}

interface Registry {
  get(id: string): object | undefined;
  getAll(): { id: string }[];
}

const MARKERS = ['is-active', 'is-done', 'is-stuck', 'is-chosen'];

export function Diagram(props: {
  xml: string;
  view: InstanceView;
  chosen: string | null;
  onChoose: (elementId: string | null) => void;
}): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const viewer = useRef<NavigatedViewer | null>(null);
  const [ready, setReady] = useState(false);
  const [error, setError] = useState<string>();
  const onChoose = useRef(props.onChoose);
  onChoose.current = props.onChoose;

  useEffect(() => {
    const made = new NavigatedViewer({ container: place.current! });
    viewer.current = made;
    made.importXML(props.xml).then(
      () => {
        fit(made, focus(props.view));
        setReady(true);
      },
      (reason: unknown) => setError(reason instanceof Error ? reason.message : String(reason)),
    );
    made.on('element.click', (event: { element: { id: string; type: string } }) => {
      onChoose.current(/Process$|Collaboration$|Participant$/.test(event.element.type) ? null : event.element.id);
    });
    const watched = new ResizeObserver(() => made.get<Canvas>('canvas').resized());
    watched.observe(place.current!);
    return () => {
      watched.disconnect();
      made.destroy();
    };
  }, [props.xml]);

  useEffect(() => {
    if (ready && viewer.current) mark(viewer.current, props.view, props.chosen);
  }, [ready, props.view, props.chosen]);

  const zoom = (factor: number) => {
    const canvas = viewer.current?.get<Canvas>('canvas');
    if (canvas) canvas.zoom(Math.min(4, Math.max(0.2, canvas.zoom() * factor)), 'auto');
  };
  return (
    <div class="diagram">
      {error ? <p class="diagram-error">This diagram cannot be drawn: {error}</p> : null}
      {/* The watermark of bpmn.io stays in its corner, and nothing of ours is laid over it: our buttons are at the top. */}
      <div class="diagram-canvas" ref={place} role="group" aria-label="Process diagram; the table below says the same in words" />
      <div class="diagram-tools">
        <button type="button" class="button quiet small" onClick={() => zoom(1.3)}>
          <Icon name="plus" label="Zoom in" />
        </button>
        <button type="button" class="button quiet small" onClick={() => zoom(1 / 1.3)}>
          <span aria-hidden="true">–</span>
          <span class="visually-hidden">Zoom out</span>
        </button>
        <button type="button" class="button quiet small" onClick={() => viewer.current && fit(viewer.current)}>
          Whole
        </button>
      </div>
      <ul class="legend" aria-label="Legend">
        <li class="legend-done">Done</li>
        <li class="legend-active">Active</li>
        <li class="legend-stuck">Incident</li>
      </ul>
    </div>
  );
}

/** Where an operator looks first: at what is stuck, else at what is active. */
function focus(view: InstanceView): string | undefined {
  const stuck = view.incidents.find((incident) => incident.state === 'ACTIVE');
  const active = view.elements.filter((element) => element.state === 'ACTIVE' && !/PROCESS/i.test(element.type));
  return stuck?.elementId ?? active.at(-1)?.elementId;
}

/** The whole diagram with room around it; on a phone, `about` an element, as large as can be read. */
function fit(viewer: NavigatedViewer, about?: string): void {
  const canvas = viewer.get<Canvas>('canvas');
  canvas.zoom('fit-viewport', 'auto');
  const { inner, outer } = canvas.viewbox();
  const whole = Math.min((outer.width - 2 * PADDING) / inner.width, (outer.height - 2 * PADDING - 40) / inner.height, 1);
  const element = about ? (viewer.get<Registry>('elementRegistry').get(about) as Shape | undefined) : undefined;
  const near = outer.width < NARROW && whole < LEGIBLE && element?.width !== undefined;
  const level = near ? LEGIBLE : whole;
  const width = outer.width / level;
  const height = outer.height / level;
  const middle = near
    ? { x: element.x + element.width / 2, y: element.y + element.height / 2 }
    : { x: inner.x + inner.width / 2, y: inner.y + inner.height / 2 };
  canvas.viewbox({ x: middle.x - width / 2, y: middle.y - height / 2, width, height });
}

function mark(viewer: NavigatedViewer, view: InstanceView, chosen: string | null): void {
  const canvas = viewer.get<Canvas>('canvas');
  const overlays = viewer.get<Overlays>('overlays');
  const registry = viewer.get<Registry>('elementRegistry');
  for (const { id } of registry.getAll()) for (const marker of MARKERS) canvas.removeMarker(id, marker);
  overlays.remove({ type: 'count' });
  const put = (id: string, marker: string) => registry.get(id) && canvas.addMarker(id, marker);

  view.flows.forEach((flow) => put(flow, 'is-done'));
  const active = new Map<string, number>();
  for (const element of view.elements) {
    if (/^PROCESS$/i.test(element.type)) continue; // the instance itself is no shape of the diagram
    if (element.state === 'ACTIVE') active.set(element.elementId, (active.get(element.elementId) ?? 0) + 1);
    else if (element.state === 'COMPLETED') put(element.elementId, 'is-done');
  }
  const stuck = new Map<string, number>();
  for (const incident of view.incidents) {
    if (incident.state === 'ACTIVE') stuck.set(incident.elementId, (stuck.get(incident.elementId) ?? 0) + 1);
  }
  const badge = (id: string, count: number, kind: 'active' | 'stuck') => {
    if (!registry.get(id)) return;
    const html = document.createElement('span');
    html.className = `count count-${kind}`;
    html.textContent = kind === 'stuck' ? `! ${count}` : String(count);
    html.title = kind === 'stuck' ? `${count} incident${count > 1 ? 's' : ''}` : `${count} active`;
    overlays.add(id, 'count', { position: kind === 'stuck' ? { top: -14, right: 16 } : { bottom: 14, left: -10 }, html });
  };
  active.forEach((count, id) => {
    put(id, 'is-active');
    badge(id, count, 'active');
  });
  stuck.forEach((count, id) => {
    put(id, 'is-stuck');
    badge(id, count, 'stuck');
  });
  if (chosen) put(chosen, 'is-chosen');
}
