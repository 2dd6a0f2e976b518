'use strict';

const introspection = `{
  __schema {
    types {
      kind name description
      fields { name description args { ...input } type { ...ref } }
      inputFields { ...input }
      enumValues { name description }
    }
  }
}
fragment input on __InputValue { name description type { ...ref } }
fragment ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;

const at = (id) => document.getElementById(id);

async function send(query, variables) {
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  const token = at('token').value.trim();
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return { status: response.status, body: await response.json() };
}

async function run() {
  at('status').textContent = 'running';
  try {
    const text = at('variables').value.trim();
    const { status, body } = await send(at('query').value, text ? JSON.parse(text) : undefined);
    at('status').textContent = `HTTP ${status}`;
    at('answer').textContent = JSON.stringify(body, null, 2);
  } catch (error) {
    at('status').textContent = '';
    at('answer').textContent = String(error);
  }
}

const reference = (type) =>
  type.kind === 'NON_NULL' ? `${reference(type.ofType)}!`
  : type.kind === 'LIST' ? `[${reference(type.ofType)}]`
  : type.name;

const signature = (field) => {
  const args = (field.args ?? []).map((arg) => `${arg.name}: ${reference(arg.type)}`).join(', ');
  return `${field.name}${args ? `(${args})` : ''}${field.type ? `: ${reference(field.type)}` : ''}`;
};

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text ?? '';
  return made;
}

function show(types) {
  const wanted = at('find').value.trim().toLowerCase();
  at('schema').replaceChildren(...types.flatMap((type) => {
    const members = type.fields ?? type.inputFields ?? type.enumValues ?? [];
    const whole = type.name.toLowerCase().includes(wanted);
    const shown = members.filter((member) => whole || member.name.toLowerCase().includes(wanted));
    if (!whole && shown.length === 0) return [];
    const details = document.createElement('details');
    details.open = wanted !== '' || type.name === 'Query';
    const list = document.createElement('dl');
    list.append(...shown.flatMap((m) => [element('dt', signature(m)), element('dd', m.description)]));
    details.append(element('summary', `${type.name} (${type.kind.toLowerCase()})`), element('p', type.description), list);
    return [details];
  }));
}

at('query').value = '{\n  apiVersion\n}\n';
at('run').addEventListener('click', run);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run();
});
send(introspection).then(({ body }) => {
  const types = body.data.__schema.types.filter((type) => !type.name.startsWith('__'));
  at('find').addEventListener('input', () => show(types));
  show(types);
}, (error) => { at('schema').textContent = String(error); });
