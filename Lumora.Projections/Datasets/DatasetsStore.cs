using JasperFx.Events.Projections;
using Lumora.Domain.Datasets;
using Lumora.Projections.EventStore;
using Marten;

namespace Lumora.Projections.Datasets;

/// <summary>The views, documents and tables of datasets.</summary>
public static class DatasetsStore
{
    /// <summary>Adds the slice to the store.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Projections.Add(new LiveState<Dataset>(Dataset.Evolve), ProjectionLifecycle.Live);
        options.Projections.Add(new DatasetViewProjection(), ProjectionLifecycle.Inline);
        options.Projections.Add(new CatalogTable(), ProjectionLifecycle.Inline);
        options.Storage.ExtendedSchemaObjects.Add(CatalogTable.Table());
        options.Schema.For<DatasetView>().Identity(view => view.Id);
        options.Schema.For<DatasetBuild>().Identity(build => build.Id);
        options.Schema.For<DatasetArtifacts>().Identity(artifacts => artifacts.Id);
        options.Schema.For<DatasetFileKey>().Identity(key => key.Id);
        options.Schema.For<PublishRequest>().Identity(request => request.Id);
    }
}
