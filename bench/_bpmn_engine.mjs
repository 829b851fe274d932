// Runs in the peer's folder: `node _bpmn_engine.mjs MODELS`, asked line by line (see _peers.py).
//
// Tasks are service tasks that call back at once, with what the mappings would make: the engine has no
// mappings of its own. A file is parsed once, as deployed definitions are.
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Engine } from 'bpmn-engine';
import * as Elements from 'bpmn-elements';
import BpmnModdle from 'bpmn-moddle';
import serializer, { TypeResolver } from 'moddle-context-serializer';

const camunda = {
  name: 'Camunda',
  uri: 'http://camunda.org/schema/1.0/bpmn',
  prefix: 'camunda',
  types: [
    {
      name: 'Collectable',
      isAbstract: true,
      extends: ['bpmn:MultiInstanceLoopCharacteristics'],
      properties: [
        { name: 'collection', isAttr: true, type: 'String' },
        { name: 'elementVariable', isAttr: true, type: 'String' },
      ],
    },
  ],
};
// What a worker answers, and what the mappings make of it.
const services = {
  work(scope, callback) {
    const { environment, content } = scope;
    if (content.item === undefined) environment.output.total = environment.variables.amount + 1;
    callback(null, 1);
  },
};
// Keeps what a task brought, as the engine's documentation has it.
const extensions = {
  keep(activity, { environment }) {
    if (activity.behaviour.loopCharacteristics) {
      activity.on('end', (api) => {
        environment.output.outcomes = api.content.output.flat();
      });
    }
  },
};

function run(sourceContext, variables) {
  return new Promise((resolve, reject) => {
    const engine = new Engine({ name: 'bench', sourceContext, variables, services, extensions });
    engine.execute((error, execution) => (error ? reject(error) : resolve(execution)));
  });
}

const sources = {};
for (const file of readdirSync(process.argv[2])) {
  const moddle = new BpmnModdle({ camunda });
  const context = await moddle.fromXML(readFileSync(`${process.argv[2]}/${file}`, 'utf8'));
  sources[file.replace('.bpmn', '')] = serializer(context, TypeResolver(Elements));
}
for await (const line of createInterface({ input: process.stdin })) {
  const { workload, variables, outcome, seconds } = JSON.parse(line);
  const made = (await run(sources[workload], variables)).environment.output;
  const begun = process.cpuUsage();
  let count = 0;
  let spent = 0;
  while (spent < seconds) {
    await run(sources[workload], variables);
    count += 1;
    const used = process.cpuUsage(begun);
    spent = (used.user + used.system) / 1e6;
  }
  console.log(JSON.stringify({ seconds: spent / count, outcome: made[outcome] }));
}
