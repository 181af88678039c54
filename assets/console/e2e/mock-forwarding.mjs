/** The mock's servers that entries of a record are sent to: one in each state. */

const now = () => new Date().toISOString();

export function targetRoutes(record, db, find, id) {
  const target = (more) => ({
    id: id('tgt'), kind: 'tls', format: 'rfc5424', ca_pem: null, header: 'Authorization', has_secret: false, enabled: true, created_at: now(), updated_at: now(),
    waiting: 0, last_sent_at: now(), last_error: null, hint: null, next_try_at: null, ...more,
  });
  const key = `targets of ${record}`;
  db[key] = record === '/appliance/audit' ? [] : [
    target({ name: 'SIEM', address: 'siem.example.org:6514' }),
    target({ name: 'Collector of a rather long name', kind: 'https', format: 'json', address: 'https://collector.example.org:8088/services/collector/raw', has_secret: true, waiting: 1204, last_sent_at: null,
      last_error: 'The server refused the connection.', hint: 'Is it running, and is the port right?', next_try_at: new Date(Date.now() + 240_000).toISOString() }),
    target({ name: 'Old syslog', kind: 'udp', address: '10.2.0.9:514', enabled: false, waiting: 3 }),
  ];
  return [
    [`GET ${record}/targets`, () => [200, db[key]]],
    [`POST ${record}/targets`, (_, __, { secret, ...b }) => (db[key].push(target({ ...b, has_secret: Boolean(secret), last_sent_at: null })), [201, db[key].at(-1)])],
    [`PATCH ${record}/targets/:id`, ([i], _, { secret: _s, ...b }) => [200, Object.assign(find(db[key], i), b)]],
    [`DELETE ${record}/targets/:id`, ([i]) => ((db[key] = db[key].filter((one) => one.id !== i)), [204])],
    [`POST ${record}/targets/:id/test`, () => [200, { works: true, steps: [{ step: 'sent', ok: true, message: 'a test message was sent, and the server did not refuse it', hint: null }] }]],
  ];
}
