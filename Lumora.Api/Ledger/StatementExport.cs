using System.Globalization;
using Lumora.Api.GraphQL;
using Lumora.Api.Identity;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.Extensions.Primitives;

namespace Lumora.Api.Ledger;

/// <summary>
/// <c>GET /v1/ledger/accounts/{code}/statement.csv?asset=LMR&amp;from=&amp;to=&amp;after=0&amp;limit=1000000</c>: the lines of a statement, oldest first,
/// for whom the field <c>statement</c> is. It begins with a record <c>opening</c> and ends with a record <c>closing</c>, or with
/// <c>continues</c> when the limit of rows or time is reached: then <c>after</c> that record's journal version goes on. A file without one
/// of these two at its end was cut off. Connections to the database are held for a part of the rows at a time: a slow reader keeps
/// none.
/// </summary>
internal static class StatementExport
{
    /// <summary>Rows of one answer at most.</summary>
    public const int RowsMax = 1_000_000;

    private const int RowsPerRead = 500;

    private static readonly TimeSpan TimeMax = TimeSpan.FromMinutes(10);

    private static readonly string[] Columns =
    [
        "journal_version", "at", "transaction_id", "event", "kind", "amount", "amount_formatted", "balance", "balance_formatted",
        "asset", "reference_type", "reference_id", "counterparties", "actor",
    ];

    /// <summary>Maps the endpoint.</summary>
    public static WebApplication MapStatements(this WebApplication app)
    {
        app.MapGet("/v1/ledger/accounts/{code}/statement.csv", GetAsync).RequireAuthorization();
        return app;
    }

    private static async Task GetAsync(HttpContext context, string code, LedgerStatements statements, TimeProvider clock)
    {
        var (reader, ct) = (context.User.ToActor(), context.RequestAborted);
        if (StatementRequest.Read(context.Request.Query, out var asked) is { } fault)
        {
            await AuthProblems.Of(StatusCodes.Status400BadRequest, fault).ExecuteAsync(context);
            return;
        }

        // Routing leaves the slashes of a code encoded: they are no separators of the path.
        var decoded = Uri.UnescapeDataString(code);
        if (ChartOfAccounts.RuleOf(decoded) is null
            || !ChartOfAccounts.MayReadEntries(reader, decoded)
            || await statements.FindAsync(ShardRole.Global, decoded, asked.Asset, asked.From, asked.To, ct) is not { } statement)
        {
            await AuthProblems.Of(
                StatusCodes.Status404NotFound, new Rejection("account_not_found", "There is no such account of yours.")).ExecuteAsync(context);
            return;
        }

        SetHeaders(context.Response, statement);
        var csv = new CsvWriter(context.Response.BodyWriter);
        foreach (var column in Columns)
            csv.Field(column);
        await csv.EndAsync(ct);
        if (asked.After == 0)
            await MarkAsync(csv, statement, statement.Above, "opening", statement.Opening, ct);
        await WriteAsync(csv, statements, statement, asked, reader, clock, ct);
    }

    private static async Task WriteAsync(
        CsvWriter csv, LedgerStatements statements, AccountStatement statement, StatementRequest asked, Actor reader,
        TimeProvider clock, CancellationToken ct)
    {
        var (started, left, after) = (clock.GetTimestamp(), asked.Limit, asked.After);
        while (left > 0 && clock.GetElapsedTime(started) < TimeMax)
        {
            var wanted = Math.Min(left, RowsPerRead);
            var rows = await statements.LinesAsync(
                ShardRole.Global, statement, new JournalRange(wanted, after, OldestFirst: true), ct);
            foreach (var row in rows)
                await LineAsync(csv, row, statement.Key, reader, ct);
            left -= rows.Count;
            if (rows.Count < wanted)
            {
                await MarkAsync(csv, statement, statement.UpTo, "closing", statement.Closing, ct);
                return;
            }

            after = rows[^1].Transaction.JournalVersion;
        }

        await MarkAsync(csv, statement, after, "continues", null, ct);
    }

    private static async Task LineAsync(
        CsvWriter csv, AccountTransaction row, AccountKey account, Actor reader, CancellationToken ct)
    {
        var transaction = row.Transaction;
        var counterparties = row.CounterpartiesOf(account).Select(other => $"{other.Code}:{SignedUnits.Text(other.Amount)}");
        await csv.Field(Number(transaction.JournalVersion)).Field(transaction.At.ToWire()).Text(transaction.Id)
            .Field(TransactionEvents.NameOf(transaction)).Field(transaction.Kind)
            .Field(Number(row.Amount)).Field(SignedUnits.Decimals(row.Amount))
            .Field(Number(row.Balance)).Field(SignedUnits.Decimals(row.Balance)).Field(account.Asset)
            .Field(transaction.Reference?.Type).Text(transaction.Reference?.Id).Text(string.Join(';', counterparties))
            .Text(LedgerReaders.MayReadActor(reader, transaction.Actor) ? transaction.Actor : null)
            .EndAsync(ct);
    }

    private static async Task MarkAsync(
        CsvWriter csv, AccountStatement statement, long version, string mark, long? balance, CancellationToken ct)
    {
        csv.Field(Number(version)).Field("").Field("").Field(mark).Field("").Field("").Field("")
            .Field(balance is { } units ? Number(units) : "").Field(balance is { } more ? SignedUnits.Decimals(more) : "")
            .Field(statement.Key.Asset).Field("").Field("").Field("").Field("");
        await csv.EndAsync(ct);
    }

    private static void SetHeaders(HttpResponse response, AccountStatement statement)
    {
        response.ContentType = "text/csv; charset=utf-8; header=present";
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentDisposition =
            $"attachment; filename=\"statement-{statement.Key.Code.Replace('/', '-')}-{statement.Key.Asset}.csv\"";
        response.Headers["Lumora-Journal-Version"] = Number(statement.UpTo);
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What an export is asked for.</summary>
/// <param name="Asset">What the account counts.</param>
/// <param name="From">The first time that belongs to the period.</param>
/// <param name="To">The first time after it.</param>
/// <param name="After">Only later journal versions.</param>
/// <param name="Limit">At most so many rows, 1 to <see cref="StatementExport.RowsMax"/>.</param>
internal sealed record StatementRequest(string Asset, DateTimeOffset? From, DateTimeOffset? To, long After, int Limit)
{
    private static readonly StatementRequest Nothing = new(ChartOfAccounts.Lmr, null, null, 0, StatementExport.RowsMax);

    /// <summary>The first fault of <paramref name="query"/>, or null with what it asks for. Parameters of other names mean nothing.</summary>
    public static Rejection? Read(IQueryCollection query, out StatementRequest request)
    {
        request = Nothing;
        if (query["asset"] is [{ } asset])
            request = request with { Asset = asset };
        if (query["asset"].Count > 1 || !LedgerArguments.IsAsset(request.Asset))
            return new Rejection("invalid_asset", "An asset is 1 to 12 capital letters and digits.", "asset");
        if (!TryTime(query["from"], out var from))
            return new Rejection("invalid_time", "A time is RFC 3339 text with its offset.", "from");
        if (!TryTime(query["to"], out var to))
            return new Rejection("invalid_time", "A time is RFC 3339 text with its offset.", "to");
        if (from > to)
            return new Rejection("invalid_range", "A period starts (from) before it ends (to).", "from");
        if (!TryNumber(query["after"], 0, out var after))
            return new Rejection("invalid_cursor", "after is the journal version of a row.", "after");
        if (!TryNumber(query["limit"], StatementExport.RowsMax, out var limit) || limit is < 1 or > StatementExport.RowsMax)
            return new Rejection("invalid_limit", $"limit is 1 to {StatementExport.RowsMax}.", "limit");
        request = request with { From = from, To = to, After = after, Limit = (int)limit };
        return null;
    }

    private static bool TryTime(StringValues values, out DateTimeOffset? time)
    {
        time = null;
        if (values.Count == 0)
            return true;
        if (values is not [{ } text] || !DateTimeScalar.TryRead(text, out var read))
            return false;
        time = read;
        return true;
    }

    private static bool TryNumber(StringValues values, long absent, out long number)
    {
        number = absent;
        return values.Count == 0
            || (values is [{ } text] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number));
    }
}
