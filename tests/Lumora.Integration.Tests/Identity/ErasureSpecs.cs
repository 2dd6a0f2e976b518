using System.Net;
using System.Text;
using System.Text.Json;
using Lumora.Api.Identity;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Cli.Audit;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Integration.Tests.Cli;
using Lumora.Integration.Tests.GraphQL;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Log;
using Lumora.Projections.EventStore;
using Lumora.Projections.Participants;
using Marten;

namespace Lumora.Integration.Tests.Identity;

/// <summary>Erasing a subject: the key and all that finds it go, the log and its proofs stay.</summary>
public sealed class ErasureSpecs(IdentityFixture fixture) : IClassFixture<IdentityFixture>
{
    private const string Recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

    private async Task<LumoraApp> StartWithStewardsAsync(TestWallet first, TestWallet second)
    {
        var app = new LumoraApp(await fixture.Databases.CreateAsync(), settings: new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Lumora:Stewards:0"] = first.Address,
            ["Lumora:Stewards:1"] = second.Address,
        });
        await app.StartAsync();
        return app;
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private LumoraApp App => fixture.App;

    [Fact]
    public async Task After_an_erasure_every_proof_holds_and_nothing_opens_any_more()
    {
        using var client = App.CreateClient();
        var wallet = new TestWallet();
        var signedIn = await wallet.SignInAsync(client, Ct);
        var id = signedIn.ParticipantId;
        await LogBench.AskAsync(client, $"mutation {{ setAgeRecipient(input: {{ recipient: \"{Recipient}\" }}) {{ error {{ code }} }} }}");
        var registered = await EventOfAsync(id, "participant_registered");
        await LogBench.PublishedAsync(App, await EventOfAsync(id, "age_recipient_changed"));
        var key = VerifierKey.Parse((await client.GetStringAsync("/log/main/key", Ct)).TrimEnd('\n'));
        var (proof, entry) = await ProofAsync(client, registered);
        Assert.Equal(wallet.Address, Open(id, entry));

        var erased = await EraseAsync(client, id);
        Assert.Equal(id, erased.At("participantId").GetString());
        Assert.Equal(JsonValueKind.Null, erased.At("error").ValueKind);
        Assert.False(File.Exists(KeyFileOf(App, id)));
        Assert.Equal(0L, await CountAsync("select count(*) from participant_wallet where participant_id = $1", id));
        Assert.Equal(0L, await CountAsync("select count(*) from auth_refresh_token where participant_id = $1", id));

        // The sign-in has ended, whatever it still holds.
        Assert.Equal("UNAUTHENTICATED", (await LogBench.AskAsync(client, "{ me { wallet } }")).Code());
        using var refreshed = await TestWallet.PostJsonAsync(client, "/v1/auth/refresh", new RefreshRequest(signedIn.RefreshToken), Ct);
        await SignInSpecs.AssertRefusedAsync(refreshed, HttpStatusCode.Unauthorized, "refresh_token_invalid");

        // The old proof against its own checkpoint, and a new one of the same bytes against the newest.
        using var anybody = App.CreateClient();
        await LogBench.PublishedAsync(App, await EventOfAsync(id, "participant_erased"));
        var (newProof, newEntry) = await ProofAsync(anybody, registered);
        Assert.Equal(entry, newEntry);
        var before = LogProofVerifier.Verify(proof, entry, key).Checkpoint.Checkpoint;
        var after = LogProofVerifier.Verify(newProof, entry, key).Checkpoint.Checkpoint;
        Assert.True(before.Size < after.Size);
        Assert.Null(Open(id, entry));

        await RebuildAsync();
        var directory = App.Get<ParticipantDirectory>();
        var participant = (await directory.FindAsync(id, Ct))!;
        Assert.NotNull(participant.ErasedAt);
        Assert.Equal(Roles.None, participant.Roles);
        Assert.Null(directory.WalletOf(participant));
        Assert.Null(directory.AgeRecipientOf(participant));
        Assert.Null(await directory.FindByWalletAsync(wallet.Address, Ct));

        // The person may come back, as somebody else.
        Assert.NotEqual(id, (await wallet.SignInAsync(client, Ct)).ParticipantId);
        Assert.False(File.Exists(KeyFileOf(App, id)));

        var said = await LoggedHost.RunAsync(
            AuditCommand.Create(), "--server", App.Address.AbsoluteUri.TrimEnd('/'), "--key", key.ToString());
        said.Must(0, "proven offline", "erasures_told", "subjects erased: their ", " sealed fields are ciphertext for good");
    }

    [Fact]
    public async Task Nobody_else_erases_a_participant_and_a_steward_only_with_a_reason()
    {
        using var client = App.CreateClient();
        using var nobody = App.CreateClient();
        using var other = App.CreateClient();
        using var steward = App.CreateClient();
        var id = (await new TestWallet().SignInAsync(client, Ct)).ParticipantId;
        await new TestWallet().SignInAsync(other, Ct);
        var stewardId = (await IdentityFixture.Steward.SignInAsync(steward, Ct)).ParticipantId;
        using var expired = await App.ExpiredClientAsync(id, Ct);

        Assert.Equal("UNAUTHENTICATED", (await LogBench.AskAsync(nobody, Mutation(id, "why not"))).Code());
        Assert.Equal("UNAUTHENTICATED", (await LogBench.AskAsync(expired, Mutation(id, null))).Code());
        Assert.Equal("forbidden", await RefusalAsync(other, id, "why not"));
        Assert.Equal("forbidden", await RefusalAsync(other, "participant_00000000000000000000000000", "why not"));
        Assert.Equal("forbidden", await RefusalAsync(other, "nobody", "why not"));
        Assert.Equal("forbidden", await RefusalAsync(client, stewardId, "why not"));
        Assert.Equal("reason_required", await RefusalAsync(steward, id, null));
        Assert.Equal("participant_not_found", await RefusalAsync(steward, "participant_00000000000000000000000000", "asked"));
        Assert.Equal("participant_not_found", await RefusalAsync(steward, "nobody", "asked"));
        Assert.True(File.Exists(KeyFileOf(App, id)));

        var first = await EraseAsync(steward, id, "asked by letter");
        var again = await EraseAsync(steward, id, "asked by letter");
        Assert.Equal(first.ToString(), again.ToString());
        Assert.False(File.Exists(KeyFileOf(App, id)));
        await using var session = App.Get<ShardSessions>().Query(ShardRole.Global);
        var events = await session.Events.FetchStreamAsync(Participant.StreamOf(id), token: Ct);
        Assert.Equal(["participant_registered", "erasure_ordered", "participant_erased"], events.Select(e => e.EventTypeName));
        Assert.Equal("asked by letter", Assert.IsType<ErasureOrdered>(events[1].Data).Reason);
        Assert.All(events.Skip(1), e => Assert.Equal(stewardId, e.UserName));
    }

    [Fact]
    public async Task A_steward_is_not_erased_by_another_whose_acts_it_has_to_approve()
    {
        var (a, b) = (new TestWallet(), new TestWallet());
        await using var app = await StartWithStewardsAsync(a, b);
        using var first = app.CreateClient();
        using var second = app.CreateClient();
        await a.SignInAsync(first, Ct);
        var secondId = (await b.SignInAsync(second, Ct)).ParticipantId;
        Assert.Equal("steward_not_erasable", await RefusalAsync(first, secondId, "in my way"));
        Assert.True(File.Exists(KeyFileOf(app, secondId)));
        await EraseAsync(second, secondId);
        Assert.False(File.Exists(KeyFileOf(app, secondId)));
    }

    [Fact]
    public async Task Two_stewards_have_to_ask_for_the_erasure_of_another_and_the_subject_needs_nobody()
    {
        var (a, b) = (new TestWallet(), new TestWallet());
        await using var app = await StartWithStewardsAsync(a, b);
        using var first = app.CreateClient();
        using var second = app.CreateClient();
        using var client = app.CreateClient();
        using var other = app.CreateClient();
        var firstId = (await a.SignInAsync(first, Ct)).ParticipantId;
        var secondId = (await b.SignInAsync(second, Ct)).ParticipantId;
        var id = (await new TestWallet().SignInAsync(client, Ct)).ParticipantId;
        var otherId = (await new TestWallet().SignInAsync(other, Ct)).ParticipantId;

        for (var i = 0; i < 2; i++)
            Assert.Equal("approval_pending", await RefusalAsync(first, id, "asked by letter"));
        Assert.True(File.Exists(KeyFileOf(app, id)));
        Assert.NotNull(app.Get<ParticipantDirectory>().WalletOf((await app.Get<ParticipantDirectory>().FindAsync(id, Ct))!));
        Assert.Equal(JsonValueKind.String, (await LogBench.AskAsync(client, "{ me { wallet } }")).At("data", "me", "wallet").ValueKind);
        Assert.Equal("reason_required", await RefusalAsync(second, id, null));

        var erased = await EraseAsync(second, id, "seen the letter");
        Assert.Equal(erased.ToString(), (await EraseAsync(first, id, "asked by letter")).ToString());
        Assert.False(File.Exists(KeyFileOf(app, id)));
        await using var session = app.Get<ShardSessions>().Query(ShardRole.Global);
        var events = await session.Events.FetchStreamAsync(Participant.StreamOf(id), token: Ct);
        Assert.Equal(
            ["participant_registered", "erasure_requested", "erasure_approved", "erasure_ordered", "participant_erased"],
            events.Select(e => e.EventTypeName));
        Assert.Equal((firstId, secondId), (((ErasureRequested)events[1].Data).RequestedBy, ((ErasureApproved)events[2].Data).ApprovedBy));
        Assert.Equal("asked by letter", ((ErasureOrdered)events[3].Data).Reason);

        await EraseAsync(other, otherId);
        Assert.False(File.Exists(KeyFileOf(app, otherId)));
    }

    /// <summary>Between the event and the key: what is recorded is not readable any more, and the next start destroys the key.</summary>
    [Fact]
    public async Task A_host_that_ends_between_the_event_and_the_key_completes_the_erasure_at_its_next_start()
    {
        var connection = await fixture.Databases.CreateAsync();
        var home = Path.Combine(Path.GetTempPath(), $"lumora-erasure-{Guid.NewGuid():N}");
        try
        {
            string id, kept;
            await using (var app = new LumoraApp(connection, home))
            {
                await app.StartAsync();
                using var client = app.CreateClient();
                using var bystander = app.CreateClient();
                kept = (await new TestWallet().SignInAsync(bystander, Ct)).ParticipantId;
                id = (await new TestWallet().SignInAsync(client, Ct)).ParticipantId;
                // Whoever holds the file keeps the host from destroying it.
                await using (new FileStream(KeyFileOf(app, id), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                    Assert.Equal("erasure_pending", await RefusalAsync(client, id, null));
                    var directory = app.Get<ParticipantDirectory>();
                    var participant = (await directory.FindAsync(id, Ct))!;
                    Assert.NotNull(participant.ErasedAt);
                    Assert.Null(directory.WalletOf(participant));
                    Assert.Equal("UNAUTHENTICATED", (await LogBench.AskAsync(client, "{ me { id } }")).Code());
                    await app.DisposeAsync();
                    Assert.True(File.Exists(KeyFileOf(app, id)));
                }
            }

            await using (var app = new LumoraApp(connection, home))
            {
                await app.StartAsync();
                Assert.False(File.Exists(KeyFileOf(app, id)));
                Assert.True(File.Exists(KeyFileOf(app, kept)));
                Assert.NotNull(app.Get<ParticipantDirectory>().WalletOf((await app.Get<ParticipantDirectory>().FindAsync(kept, Ct))!));
            }
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    [Fact]
    public async Task A_subject_whose_key_is_gone_gets_no_new_one()
    {
        using var client = App.CreateClient();
        var id = (await new TestWallet().SignInAsync(client, Ct)).ParticipantId;
        var keys = App.Get<SubjectKeys>();
        Assert.Throws<InvalidOperationException>(() => keys.SealFirst(id, Participant.WalletField, "another"));
        Assert.NotNull(keys.Seal(id, Participant.AgeRecipientField, Recipient));
        Assert.True(keys.Erase(id));
        Assert.False(keys.Erase(id));
        Assert.Null(keys.Seal(id, Participant.AgeRecipientField, Recipient));
        Assert.False(File.Exists(KeyFileOf(App, id)));
        var refused = await LogBench.AskAsync(
            client, $"mutation {{ setAgeRecipient(input: {{ recipient: \"{Recipient}\" }}) {{ error {{ code }} }} }}");
        Assert.Equal("participant_erased", refused.At("data", "setAgeRecipient", "error", "code").GetString());
    }

    private static string KeyFileOf(LumoraApp app, string id) => Path.Combine(app.Home, "subject-keys", id);

    private static string Mutation(string id, string? reason) =>
        $$"""
        mutation { eraseSubject(input: { participantId: "{{id}}" {{(reason is null ? "" : $"reason: \"{reason}\"")}} }) {
            participantId erasedAt error { code } } }
        """;

    private static async Task<JsonElement> EraseAsync(HttpClient client, string id, string? reason = null)
    {
        var answer = await LogBench.AskAsync(client, Mutation(id, reason));
        Assert.False(answer.TryGetProperty("errors", out _), answer.ToString());
        var payload = answer.At("data", "eraseSubject");
        Assert.Equal(JsonValueKind.Null, payload.At("error").ValueKind);
        return payload;
    }

    private static async Task<string?> RefusalAsync(HttpClient client, string id, string? reason)
    {
        var answer = await LogBench.AskAsync(client, Mutation(id, reason));
        Assert.False(answer.TryGetProperty("errors", out _), answer.ToString());
        Assert.Equal(JsonValueKind.Null, answer.At("data", "eraseSubject", "erasedAt").ValueKind);
        return answer.At("data", "eraseSubject", "error", "code").GetString();
    }

    private static async Task<(byte[] Proof, byte[] Entry)> ProofAsync(HttpClient client, Guid eventId) => (
        await client.GetByteArrayAsync($"/log/main/proof/{eventId}", Ct), await client.GetByteArrayAsync($"/log/main/entry/{eventId}", Ct));

    /// <summary>The wallet that the entry of a registration has sealed, or null when it does not open.</summary>
    private string? Open(string id, byte[] entry)
    {
        using var leaf = JsonDocument.Parse(Encoding.UTF8.GetString(entry));
        Assert.True(Sealed.TryParse(leaf.RootElement.At("data", "wallet").GetString(), out var box));
        return App.Get<SubjectKeys>().Open(id, Participant.WalletField, box);
    }

    private async Task RebuildAsync()
    {
        using var daemon = await App.Get<IDocumentStore>().BuildProjectionDaemonAsync(ShardMap.DefaultShard);
        await daemon.RebuildProjectionAsync<ParticipantView>(Ct);
    }

    private async Task<Guid> EventOfAsync(string id, string type)
    {
        await using var command = App.Get<ShardSessions>().DataSource(ShardRole.Global).CreateCommand(
            "select id from mt_events where stream_id = $1 and type = $2");
        command.Parameters.AddWithValue(Participant.StreamOf(id));
        command.Parameters.AddWithValue(type);
        return (Guid)(await command.ExecuteScalarAsync(Ct))!;
    }

    private async Task<long> CountAsync(string sql, string id)
    {
        await using var command = App.Get<ShardSessions>().DataSource(ShardRole.Global).CreateCommand(sql);
        command.Parameters.AddWithValue(id);
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }
}
