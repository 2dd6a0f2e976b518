using System.Text.Json;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Ledger;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.EventStore;

/// <summary>What really stands in the database, for the store brings converters of its own.</summary>
public sealed class StoredEventSpecs(TestDatabases databases)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_enum_is_stored_in_snake_case_and_read_back()
    {
        await using var harness = await LedgerHarness.StartAsync(databases);
        // The harness verifies a ledger at the end, so there has to be one.
        await harness.WriterAsync(run: false);
        var at = new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
        var id = TypeId.Format(Participant.IdPrefix, Guid.NewGuid());
        var wallet = Sealed.Seal(new byte[Sealed.KeyLength], id, Participant.WalletField, "wallet", bytes => bytes.Clear());
        await using (var session = harness.Sessions.Open(ShardRole.Global, Actor.System("test")))
        {
            session.Events.StartStream<Participant>(
                Participant.StreamOf(id),
                new ParticipantRegistered(id, wallet, at), new RoleGranted(id, Roles.Auditor, "Elected.", at));
            await session.SaveChangesAsync(Ct);
        }

        await using var command = harness.Sessions.DataSource(ShardRole.Global).CreateCommand(
            "select data::text from mt_events where type = 'role_granted'");
        var stored = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(Ct))!).RootElement;
        Assert.Equal("auditor", stored.GetProperty("role").GetString());
        Assert.Equal("2026-01-31T12:00:00.000000Z", stored.GetProperty("at").GetString());

        await using var reading = harness.Sessions.Query(ShardRole.Global);
        var events = await reading.Events.FetchStreamAsync(Participant.StreamOf(id), token: Ct);
        Assert.Equal(Roles.Auditor, Assert.IsType<RoleGranted>(events[1].Data).Role);
        var state = await reading.LoadAsync<Participant>(Participant.StreamOf(id), Ct);
        Assert.Equal(Participant.InitialRoles | Roles.Auditor, state!.Roles);
    }
}
