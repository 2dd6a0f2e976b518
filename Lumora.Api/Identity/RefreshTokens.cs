using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lumora.Api.Identity;

/// <summary>
/// Refresh tokens: random, stored as a hash, good for one use. A second use of the same token means that two hold it:
/// then all that descends from that sign-in is void (RFC 9700 §4.14.2).
/// </summary>
internal sealed class RefreshTokens(ShardSessions sessions, IOptions<IdentityOptions> options)
{
    private const int TokenLength = 32;

    private NpgsqlDataSource Database => sessions.DataSource(ShardRole.Global);

    /// <summary>The first token of a sign-in.</summary>
    public Task<string> IssueAsync(string participantId, DateTimeOffset now, CancellationToken cancellationToken) =>
        InsertAsync(participantId, Guid.NewGuid(), now, cancellationToken);

    /// <summary>
    /// Takes a token and gives the next one and its participant, or <c>refresh_token_invalid</c>, <c>refresh_token_reused</c>.
    /// </summary>
    public async Task<Result<(string ParticipantId, string Token)>> RotateAsync(
        string token, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var hash = HashOf(token);
        await using var use = Command(
            """
            update auth_refresh_token set used_at = $2
            where hash = $1 and used_at is null and expires_at > $2
            returning participant_id, family
            """, hash, now);
        await using (var row = await use.ExecuteReaderAsync(cancellationToken))
        {
            if (await row.ReadAsync(cancellationToken))
            {
                var (participantId, family) = (row.GetString(0), row.GetGuid(1));
                await row.DisposeAsync();
                return (participantId, await InsertAsync(participantId, family, now, cancellationToken));
            }
        }

        await using var revoke = Command(
            """
            delete from auth_refresh_token
            where family = (select family from auth_refresh_token where hash = $1 and used_at is not null)
            """, hash);
        return await revoke.ExecuteNonQueryAsync(cancellationToken) > 0
            ? new Rejection("refresh_token_reused", "This refresh token was used before. Sign in again: its successors are void.")
            : new Rejection("refresh_token_invalid", "This refresh token is unknown or has expired. Sign in again.");
    }

    /// <summary>Forgets the sign-in that <paramref name="token"/> descends from; nothing happens when it is unknown.</summary>
    public async Task RevokeAsync(string token, CancellationToken cancellationToken)
    {
        await using var command = Command(
            "delete from auth_refresh_token where family = (select family from auth_refresh_token where hash = $1)",
            HashOf(token));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<string> InsertAsync(
        string participantId, Guid family, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenLength));
        await using var command = Command(
            "insert into auth_refresh_token (hash, family, participant_id, expires_at) values ($1, $2, $3, $4)",
            HashOf(token), family, participantId, now.AddDays(options.Value.RefreshTokenDays));
        await command.ExecuteNonQueryAsync(cancellationToken);
        return token;
    }

    private NpgsqlCommand Command(string sql, params ReadOnlySpan<object> values)
    {
        var command = Database.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    private static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
