import type { JSX } from 'preact';
import { Chip } from '../shared/ui';
import type { Instance } from './types';

export function StateChip({ instance }: { instance: Instance }): JSX.Element {
  if (instance.hasIncident && instance.state === 'ACTIVE') {
    return (
      <Chip tone="danger" icon="warn">
        Incident
      </Chip>
    );
  }
  if (instance.state === 'ACTIVE') {
    return (
      <Chip tone="brand" icon="clock">
        Running
      </Chip>
    );
  }
  if (instance.state === 'COMPLETED') {
    return (
      <Chip tone="ok" icon="check">
        Completed
      </Chip>
    );
  }
  return <Chip icon="cross">Canceled</Chip>;
}
