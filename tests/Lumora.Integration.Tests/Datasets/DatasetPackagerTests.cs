using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lumora.Api.Datasets;
using Lumora.Api.Tasks;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Parquet;
using Parquet.Schema;

namespace Lumora.Integration.Tests.Datasets;

public sealed class DatasetPackagerTests : IDisposable
{
    private static readonly DatasetColumn[] Columns =
    [
        new("url", FieldType.Url, true), new("fetchedAt", FieldType.Date, true), new("title", FieldType.Text, false),
        new("pages", FieldType.Integer, false), new("price", FieldType.Number, false), new("free", FieldType.Boolean, false),
    ];

    private readonly string folder = Directory.CreateTempSubdirectory("lumora-package").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Parquet_holds_the_same_rows_as_ndjson()
    {
        var package = await PackAsync(Enumerable.Range(0, 45_000).Select(Row));

        var lines = await File.ReadAllLinesAsync(Path.Combine(folder, "data.ndjson"), TestContext.Current.CancellationToken);
        Assert.Equal(45_000, package.Records);
        Assert.Equal(45_000, lines.Length);
        Assert.Equal(lines, await ReadParquetAsync());
    }

    [Fact]
    public async Task The_same_page_fetched_twice_counts_once()
    {
        var package = await PackAsync(
        [
            """{"url":"https://a.test/","fetchedAt":"2026-01-01T00:00:00.000000Z","title":"\u00e9"}""",
            """{"title":"é","url":"https://a.test/","fetchedAt":"2026-01-02T00:00:00.000000Z","note":"no column"}""",
            """{"url":"https://b.test/","fetchedAt":"2026-01-01T00:00:00.000000Z","title":""}""",
        ]);

        Assert.Equal(2, package.Records);
        Assert.Equal(
            [
                """{"fetchedAt":"2026-01-01T00:00:00.000000Z","title":"é","url":"https://a.test/"}""",
                """{"fetchedAt":"2026-01-01T00:00:00.000000Z","url":"https://b.test/"}""",
            ],
            await File.ReadAllLinesAsync(Path.Combine(folder, "data.ndjson"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Each_body_decrypts_to_the_hash_that_is_committed_to()
    {
        var package = await PackAsync(Enumerable.Range(0, 3_000).Select(Row));

        foreach (var packed in package.Files)
        {
            await using var body = File.OpenRead(packed.BodyPath);
            using var plain = new MemoryStream();
            await AgePayload.DecryptAsync(packed.FileKey, body, plain, TestContext.Current.CancellationToken);
            Assert.Equal(packed.File.Bytes, plain.Length);
            Assert.Equal(packed.File.Sha256, Convert.ToHexStringLower(SHA256.HashData(plain.ToArray())));
            Assert.Equal(packed.File.BodyBytes, body.Length);
        }

        Assert.NotEqual(package.Files[0].FileKey, package.Files[1].FileKey);
    }

    [Fact]
    public async Task One_changed_byte_of_a_body_changes_its_root()
    {
        var packed = (await PackAsync(Enumerable.Range(0, 3_000).Select(Row))).Files[0];
        var bytes = await File.ReadAllBytesAsync(packed.BodyPath, TestContext.Current.CancellationToken);
        bytes[70_000] ^= 1;

        var digest = await BodyDigest.ReadAsync(new MemoryStream(bytes), TestContext.Current.CancellationToken);

        Assert.NotEqual(packed.File.BodyRoot, digest.Root);
        Assert.NotEqual(packed.File.BodySha256, digest.Sha256);
    }

    [Theory]
    [InlineData(5, 1)]
    [InlineData(200, 20)]
    [InlineData(3_000, 100)]
    public async Task The_sample_never_gives_a_small_dataset_away(int records, int rows)
    {
        var package = await PackAsync(Enumerable.Range(0, records).Select(Row));

        Assert.Equal(rows, Encoding.UTF8.GetString(package.Sample).Count(c => c == '\n'));
    }

    [Fact]
    public async Task Statistics_say_what_a_column_holds()
    {
        var package = await PackAsync(Enumerable.Range(0, 1_000).Select(Row));

        var pages = package.Statistics.Single(column => column.Name == "pages");
        Assert.Equal(new ColumnStatistics("pages", 666, 334, 4, "-998", "-1"), pages);
        var price = package.Statistics.Single(column => column.Name == "price");
        Assert.Equal(("0.5", "999.5"), (price.Min, price.Max));
    }

    [Theory]
    [InlineData("no_records")]
    [InlineData("input_changed", "[]")]
    [InlineData("input_changed", "not json")]
    [InlineData("input_changed", """{"free":"yes"}""")]
    [InlineData("input_changed", """{"pages":"many"}""")]
    [InlineData("no_records", """{"other":1,"title":null}""")]
    public async Task What_cannot_become_a_dataset_is_refused_with_its_reason(string code, params string[] lines) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<DatasetBuildException>(() => PackAsync(lines))).Code);

    [Fact]
    public async Task The_croissant_document_has_the_parts_that_the_specification_asks_for()
    {
        var package = await PackAsync(Enumerable.Range(0, 100).Select(Row));
        var version = new DatasetVersionPublished(
            "dataset_1", SemVer.First, "collection_1", "participant_1", "Pages", "Some pages of a site.", "pages",
            "CC-BY-4.0", package.Records, [.. package.Files.Select(file => file.File)], package.Root, "aa", "", "bb",
            new DateTimeOffset(2026, 1, 31, 0, 0, 0, TimeSpan.Zero));

        var document = JsonElement.Parse(CroissantDocument.Write(version, Columns, package.Sample.Length, "https://lumora.test"));

        Assert.Equal("sc:Dataset", document.GetProperty("@type").GetString());
        Assert.Equal("http://mlcommons.org/croissant/1.1", document.GetProperty("conformsTo").GetString());
        foreach (var required in (string[])["name", "description", "license", "url", "version", "datePublished"])
            Assert.False(string.IsNullOrEmpty(document.GetProperty(required).GetString()), required);

        var files = document.GetProperty("distribution").EnumerateArray().ToList();
        Assert.All(files, file => Assert.Equal("cr:FileObject", file.GetProperty("@type").GetString()));
        Assert.All(files, file => Assert.NotNull(file.GetProperty("encodingFormat").GetString()));
        Assert.Equal(
            package.Files.Select(file => file.File.Sha256), files.Take(2).Select(file => file.GetProperty("sha256").GetString()));
        var open = Assert.Single(files, file => file.TryGetProperty("contentUrl", out _));
        Assert.Equal("sample.ndjson", open.GetProperty("@id").GetString());

        var ids = files.Select(file => file.GetProperty("@id").GetString()).ToHashSet();
        var fields = document.GetProperty("recordSet")[0].GetProperty("field").EnumerateArray().ToList();
        Assert.Equal(Columns.Length, fields.Count);
        Assert.All(fields, field => Assert.Contains(
            field.GetProperty("source").GetProperty("fileObject").GetProperty("@id").GetString(), ids));
    }

    [Fact]
    public async Task Lines_of_any_length_are_read_whole()
    {
        var text = string.Join('\n', Enumerable.Range(0, 200).Select(i => new string((char)('a' + i % 26), i * 997 % 70_000)));
        var lines = new List<string>();

        await foreach (var line in NdjsonLines.ReadAsync(
            new MemoryStream(Encoding.UTF8.GetBytes(text)), TestContext.Current.CancellationToken))
            lines.Add(Encoding.UTF8.GetString(line.Span));

        Assert.Equal(text.Split('\n'), lines);
    }

    private static string Row(int i)
    {
        var pages = i % 3 == 0 ? "" : $",\"pages\":\"{-i}\"";
        return $$"""{"url":"https://a.test/{{i}}","fetchedAt":"2026-01-01T00:00:00.000000Z","title":"Page {{i}}"{{pages}},"price":"{{i}}.5","free":{{(i % 2 == 0 ? "true" : "false")}}}""";
    }

    private Task<DatasetPackage> PackAsync(IEnumerable<string> lines) =>
        new DatasetPackager(RandomNumberGenerator.Fill)
            .PackAsync(Columns, Utf8(lines), folder, TestContext.Current.CancellationToken);

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Utf8(
        IEnumerable<string> lines, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var line in lines)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.CompletedTask;
            yield return Encoding.UTF8.GetBytes(line);
        }
    }

    private async Task<List<string>> ReadParquetAsync()
    {
        var lines = new List<string>();
        await using var reader = await ParquetReader.CreateAsync(Path.Combine(folder, "data.parquet"));
        Assert.True(reader.RowGroupCount > 1);
        foreach (var group in reader.RowGroups)
        {
            var rows = Enumerable.Range(0, (int)group.RowCount).Select(_ => new Dictionary<string, object>()).ToArray();
            foreach (var field in reader.Schema.GetDataFields())
                await ReadColumnAsync(group, field, rows);
            lines.AddRange(rows.Select(row => Encoding.UTF8.GetString(CanonicalJson.Serialize(row))));
        }

        return lines;
    }

    private static async Task ReadColumnAsync(ParquetRowGroupReader group, DataField field, Dictionary<string, object>[] rows)
    {
        var values = new object?[rows.Length];
        if (field.ClrType == typeof(long))
            await ReadAsync<long>(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        else if (field.ClrType == typeof(bool))
            await ReadAsync<bool>(value => value);
        else
        {
            var texts = new string?[rows.Length];
            await group.ReadAsync(field, texts.AsMemory());
            texts.CopyTo(values, 0);
        }

        for (var i = 0; i < rows.Length; i++)
        {
            if (values[i] is { } value)
                rows[i][field.Name] = value;
        }

        async Task ReadAsync<T>(Func<T, object> read) where T : struct
        {
            var typed = new T?[rows.Length];
            await group.ReadAsync(field, typed.AsMemory());
            for (var i = 0; i < typed.Length; i++)
                values[i] = typed[i] is { } value ? read(value) : null;
        }
    }
}
