// Runs in the peer's folder: node _dmn_eval_js.cjs TASK. Prints the answer and CPU seconds of an evaluation.
const { readFileSync } = require('node:fs');
const { decisionTable } = require('@hbtgmbh/dmn-eval-js');
require('loglevel').getLogger('dmn-eval-js').setLevel('silent');

const { xml, input, seconds } = JSON.parse(readFileSync(process.argv[2], 'utf8'));

decisionTable.parseDmnXml(xml).then((decisions) => {
  const evaluate = () => decisionTable.evaluateDecision('d', decisions, input);
  const { answer } = evaluate();
  const before = process.cpuUsage();
  let count = 0;
  let spent = 0;
  while (spent < seconds) {
    evaluate();
    count += 1;
    const used = process.cpuUsage(before);
    spent = (used.user + used.system) / 1e6;
  }
  console.log(JSON.stringify({ answer, seconds: spent / count }));
});
