// Runs one script of a test with a real PouchDB: the script's text is read from stdin, its result is printed as JSON.
import PouchCore from 'pouchdb-core';
import http from 'pouchdb-adapter-http';
import memory from 'pouchdb-adapter-memory';
import replication from 'pouchdb-replication';
import { setTimeout as sleep } from 'node:timers/promises';

const PouchDB = PouchCore.plugin(http).plugin(memory).plugin(replication);

const remote = (url, token) =>
  new PouchDB(`${url}/_my`, {
    fetch(address, options = {}) {
      options.headers = new Headers(options.headers);
      options.headers.set('Authorization', `Bearer ${token}`);
      return PouchDB.fetch(address, options);
    },
  });

const local = (name) => new PouchDB(name, { adapter: 'memory' });

// Waits for what must come; the test's own time limit ends it where it does not.
const until = async (condition) => {
  for (;;) {
    const found = await condition();
    if (found) return found;
    await sleep(20);
  }
};

const once = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));

// PouchDB leaves the rejection of a request for a database's information to nobody when its server dies. A page
// in a browser goes on then, and so does a script here; what it is to show is in its result.
process.on('unhandledRejection', (reason) => console.error(reason));

let source = '';
for await (const chunk of process.stdin) source += chunk;
const run = new Function(
  'PouchDB', 'remote', 'local', 'until', 'once', 'say', 'args',
  `return (async () => { ${source} })()`,
);
const say = (line) => process.stdout.write(`${line}\n`);
try {
  const result = await run(PouchDB, remote, local, until, once, say, JSON.parse(process.argv[2] ?? '{}'));
  say(JSON.stringify({ result: result ?? null }));
  process.exit(0);
} catch (error) {
  say(JSON.stringify({ error: String(error?.stack ?? error), ...error }));
  process.exit(1);
}
