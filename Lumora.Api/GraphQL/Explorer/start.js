'use strict';

/* global GraphiQL, React, ReactDOM: the bundles that graphiql.html loads first. */
ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: '/graphql' }),
    defaultQuery: '# Sign in, then send the token in the Headers tab: { "Authorization": "Bearer ..." }\n{\n  apiVersion\n}\n',
    shouldPersistHeaders: false,
  }),
);
