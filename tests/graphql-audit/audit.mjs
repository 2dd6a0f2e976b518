// usage: node audit.mjs <endpoint URL>
// One line of JSON per audit ({ id, name, status, reason }); exit code 1 unless every audit is "ok".
import { buildClientSchema, getIntrospectionQuery } from 'graphql';
import { auditServer } from 'graphql-http';

const url = process.argv[2];
if (!url) {
  console.error('usage: node audit.mjs <endpoint URL>');
  process.exit(2);
}

const results = [...await auditServer({ url, fetchFn: fetch }), await introspection()];
for (const { id, name, status, reason } of results) {
  console.log(JSON.stringify({ id, name, status, reason }));
}
process.exitCode = results.length > 0 && results.every((result) => result.status === 'ok') ? 0 : 1;

// Not part of the suite: tools such as GraphiQL read the whole schema within the endpoint's limits.
async function introspection() {
  const name = 'The whole schema can be introspected and rebuilt';
  try {
    // Without inputValueDeprecation: the library lacks includeDeprecated on the arguments of directives.
    const query = getIntrospectionQuery({ schemaDescription: true, directiveIsRepeatable: true });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = await response.json();
    if (errors) throw new Error(JSON.stringify(errors));
    buildClientSchema(data);
    return { id: 'INTROSPECTION', name, status: 'ok' };
  } catch (error) {
    return { id: 'INTROSPECTION', name, status: 'error', reason: String(error) };
  }
}
