using System.Text.Json.Nodes;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;

namespace Lumora.Api.Datasets;

/// <summary>
/// A version's metadata after the Croissant format specification 1.1 (core vocabulary). <c>sha256</c> is always of
/// the plaintext. Only the sample can be fetched by everybody, so only the sample has a <c>contentUrl</c>; the sold
/// files' roots and sizes stand in <c>lumora:</c> terms.
/// </summary>
internal static class CroissantDocument
{
    /// <summary>The specification that the document follows.</summary>
    public const string ConformsTo = "http://mlcommons.org/croissant/1.1";

    private static readonly string[] CroissantTerms =
    [
        "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty",
        "fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
        "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator",
        "source", "subField", "transform",
    ];

    /// <summary>Writes the document in canonical JSON.</summary>
    /// <param name="version">The version; its metadata hash is not read.</param>
    /// <param name="columns">The version's columns.</param>
    /// <param name="sampleBytes">Length of the sample.</param>
    /// <param name="publicUrl">Address of the catalog, without a slash at its end.</param>
    public static byte[] Write(
        DatasetVersionPublished version, IReadOnlyList<DatasetColumn> columns, long sampleBytes, string publicUrl)
    {
        var home = $"{publicUrl}/datasets/{version.DatasetId}";
        return CanonicalJson.Serialize(new JsonObject
        {
            ["@context"] = Context(),
            ["@type"] = "sc:Dataset",
            ["@id"] = home,
            ["conformsTo"] = ConformsTo,
            ["name"] = version.Title,
            ["description"] = version.Description,
            ["keywords"] = new JsonArray(version.Topic),
            ["license"] = Licences.UrlOf(version.Licence),
            ["url"] = home,
            ["version"] = version.Version.ToString(),
            ["datePublished"] = version.At.ToWire(),
            ["isLiveDataset"] = false,
            ["lumora:datasetRoot"] = version.DatasetRoot,
            ["lumora:inputRoot"] = version.InputRoot,
            ["lumora:records"] = version.Records.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["distribution"] = new JsonArray(
            [
                .. version.Files.Select(SoldFile),
                Sample(version, sampleBytes, $"{home}/versions/{version.Version}/{DatasetPackager.SampleName}"),
            ]),
            ["recordSet"] = new JsonArray(RecordSet(columns)),
        });
    }

    private static JsonObject Context()
    {
        var context = new JsonObject
        {
            ["@language"] = "en",
            ["@vocab"] = "https://schema.org/",
            ["sc"] = "https://schema.org/",
            ["cr"] = "http://mlcommons.org/croissant/",
            ["rai"] = "http://mlcommons.org/croissant/RAI/",
            ["dct"] = "http://purl.org/dc/terms/",
            ["lumora"] = "urn:lumora:dataset:",
            ["conformsTo"] = "dct:conformsTo",
            ["data"] = new JsonObject { ["@id"] = "cr:data", ["@type"] = "@json" },
            ["dataType"] = new JsonObject { ["@id"] = "cr:dataType", ["@type"] = "@vocab" },
            ["examples"] = new JsonObject { ["@id"] = "cr:examples", ["@type"] = "@json" },
        };
        foreach (var term in CroissantTerms)
            context[term] = $"cr:{term}";
        return context;
    }

    private static JsonNode SoldFile(DatasetFile file) => new JsonObject
    {
        ["@type"] = "cr:FileObject",
        ["@id"] = file.Name,
        ["name"] = file.Name,
        ["description"] = "Sold; delivered as an age v1 file for the buyer's recipient.",
        ["contentSize"] = $"{file.Bytes} B",
        ["encodingFormat"] = file.MediaType,
        ["sha256"] = file.Sha256,
        ["lumora:bodyBytes"] = file.BodyBytes.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ["lumora:bodyRoot"] = file.BodyRoot,
    };

    private static JsonObject Sample(DatasetVersionPublished version, long bytes, string url) => new()
    {
        ["@type"] = "cr:FileObject",
        ["@id"] = DatasetPackager.SampleName,
        ["name"] = DatasetPackager.SampleName,
        ["description"] = "The first records, in clear, for everybody.",
        ["contentUrl"] = url,
        ["contentSize"] = $"{bytes} B",
        ["encodingFormat"] = DatasetPackager.NdjsonType,
        ["sha256"] = version.SampleSha256,
    };

    private static JsonObject RecordSet(IReadOnlyList<DatasetColumn> columns) => new()
    {
        ["@type"] = "cr:RecordSet",
        ["@id"] = "records",
        ["name"] = "records",
        ["field"] = new JsonArray([.. columns.Select(Field)]),
    };

    private static JsonNode Field(DatasetColumn column) => new JsonObject
    {
        ["@type"] = "cr:Field",
        ["@id"] = $"records/{column.Name}",
        ["name"] = column.Name,
        ["dataType"] = column.Type switch
        {
            FieldType.Integer => "sc:Integer",
            FieldType.Number => "sc:Number",
            FieldType.Boolean => "sc:Boolean",
            FieldType.Url => "sc:URL",
            FieldType.Date => "sc:Date",
            _ => "sc:Text",
        },
        ["source"] = new JsonObject
        {
            ["fileObject"] = new JsonObject { ["@id"] = DatasetPackager.ParquetName },
            ["extract"] = new JsonObject { ["column"] = column.Name },
        },
    };
}
