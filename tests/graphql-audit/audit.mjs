// usage: node audit.mjs <endpoint URL>
// One line of JSON per audit ({ id, name, status, reason }); exit code 1 unless every audit is "ok".
import { auditServer } from 'graphql-http';

const url = process.argv[2];
if (!url) {
  console.error('usage: node audit.mjs <endpoint URL>');
  process.exit(2);
}

const results = await auditServer({ url, fetchFn: fetch });
for (const { id, name, status, reason } of results) {
  console.log(JSON.stringify({ id, name, status, reason }));
}
process.exitCode = results.length > 0 && results.every((result) => result.status === 'ok') ? 0 : 1;
