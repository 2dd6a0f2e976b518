using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Api.Identity;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Participants;

namespace Lumora.Integration.Tests.Identity;

public sealed class SignInSpecs(IdentityFixture fixture) : IClassFixture<IdentityFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wallet_signs_in_and_is_the_same_participant_the_second_time()
    {
        using var client = fixture.App.CreateClient();
        var wallet = new TestWallet();
        var first = await wallet.SignInAsync(client, Ct);
        var second = await wallet.SignInAsync(client, Ct);
        Assert.Equal(first.ParticipantId, second.ParticipantId);
        Assert.Equal(["provider", "consumer"], first.Roles);
        Assert.Equal(first.ParticipantId, await client.GetStringAsync("/probe/undeclared", Ct));
    }

    [Fact]
    public async Task Two_first_sign_ins_at_once_make_one_participant()
    {
        var wallet = new TestWallet();
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            using var client = fixture.App.CreateClient();
            return await wallet.SignInAsync(client, Ct);
        }));
        Assert.Single(answers.Select(answer => answer.ParticipantId).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_signature_in_base64_is_good_too()
    {
        using var client = fixture.App.CreateClient();
        var wallet = new TestWallet();
        var text = wallet.Message(await TestWallet.NonceAsync(client, Ct)).ToString();
        var base64 = Convert.ToBase64String(SimpleBase.Base58.Bitcoin.Decode(wallet.Sign(text)));
        using var response = await TestWallet.PostAsync(client, text, base64, Ct);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(response.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task A_nonce_serves_once()
    {
        using var client = fixture.App.CreateClient();
        var wallet = new TestWallet();
        var text = wallet.Message(await TestWallet.NonceAsync(client, Ct)).ToString();
        using var first = await TestWallet.PostAsync(client, text, wallet.Sign(text), Ct);
        using var second = await TestWallet.PostAsync(client, text, wallet.Sign(text), Ct);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        await AssertRefusedAsync(second, HttpStatusCode.Unauthorized, "nonce_used");
    }

    [Theory]
    [InlineData("another signature", HttpStatusCode.Unauthorized, "signature_wrong")]
    [InlineData("short signature", HttpStatusCode.BadRequest, "signature_malformed")]
    [InlineData("text changed after signing", HttpStatusCode.Unauthorized, "signature_wrong")]
    [InlineData("wrong domain", HttpStatusCode.Unauthorized, "wrong_domain")]
    [InlineData("wrong chain", HttpStatusCode.Unauthorized, "wrong_chain")]
    [InlineData("expired message", HttpStatusCode.Unauthorized, "message_expired")]
    [InlineData("foreign nonce", HttpStatusCode.Unauthorized, "nonce_unknown")]
    [InlineData("expired nonce", HttpStatusCode.Unauthorized, "nonce_expired")]
    [InlineData("no address", HttpStatusCode.Unauthorized, "wrong_address")]
    [InlineData("no message", HttpStatusCode.BadRequest, "message_malformed")]
    public async Task A_bad_sign_in_gets_a_coded_error_and_stores_nothing(string what, HttpStatusCode status, string code)
    {
        using var client = fixture.App.CreateClient();
        var wallet = new TestWallet();
        var message = wallet.Message(await TestWallet.NonceAsync(client, Ct));
        message = what switch
        {
            "wrong domain" => message with { Domain = "evil.example", Uri = "http://evil.example/" },
            "wrong chain" => message with { ChainId = "mainnet" },
            "expired message" => wallet.Message(
                await TestWallet.NonceAsync(client, Ct), DateTimeOffset.UtcNow.AddMinutes(-6)),
            "foreign nonce" => message with { Nonce = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ" },
            "expired nonce" => message with
            {
                Nonce = fixture.App.Get<SignInNonces>().Issue(DateTimeOffset.UtcNow - SignInNonces.Lifetime).Nonce,
            },
            "no address" => message with { Address = "nobody" },
            _ => message,
        };
        var text = message.ToString();
        var signature = what switch
        {
            "another signature" => new TestWallet().Sign(text),
            "short signature" => "3yZe7d",
            _ => wallet.Sign(text),
        };
        text = what switch
        {
            "text changed after signing" => text.Replace("Sign in to Lumora.", "Sign in to Lumora!", StringComparison.Ordinal),
            "no message" => "hello",
            _ => text,
        };

        using var response = await TestWallet.PostAsync(client, text, signature, Ct);
        await AssertRefusedAsync(response, status, code);
        Assert.Null(await fixture.App.Get<ParticipantDirectory>().FindByWalletAsync(wallet.Address, Ct));
        Assert.Equal(0L, await CountAsync($"select count(*) from auth_nonce_used where nonce = '{message.Nonce}'"));
    }

    [Theory]
    [InlineData("{", "body_malformed")]
    [InlineData("null", "body_malformed")]
    [InlineData("{\"message\":\"a\"}", "body_malformed")]
    [InlineData("{\"message\":\"a\",\"signature\":\"b\",\"admin\":true}", "body_malformed")]
    public async Task A_body_that_is_not_the_request_gets_a_coded_error(string body, string code)
    {
        using var client = fixture.App.CreateClient();
        using var content = new StringContent(body);
        using var response = await client.PostAsync("/v1/auth/sign-in", content, Ct);
        await AssertRefusedAsync(response, HttpStatusCode.BadRequest, code);
    }

    [Fact]
    public async Task A_stranger_and_a_forged_and_an_expired_token_are_told_apart()
    {
        using var client = fixture.App.CreateClient();
        using var stranger = await client.GetAsync("/probe/undeclared", Ct);
        await AssertRefusedAsync(stranger, HttpStatusCode.Unauthorized, "unauthenticated");

        var signedIn = await new TestWallet().SignInAsync(client, Ct);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", signedIn.AccessToken[..^4] + "AAAA");
        using var forged = await client.GetAsync("/probe/undeclared", Ct);
        await AssertRefusedAsync(forged, HttpStatusCode.Unauthorized, "token_invalid");

        using var late = await fixture.App.ExpiredClientAsync(signedIn.ParticipantId, Ct);
        using var expired = await late.GetAsync("/probe/undeclared", Ct);
        await AssertRefusedAsync(expired, HttpStatusCode.Unauthorized, "token_expired");
    }

    [Fact]
    public async Task A_refresh_token_serves_once_and_its_second_use_voids_the_sign_in()
    {
        using var client = fixture.App.CreateClient();
        var signedIn = await new TestWallet().SignInAsync(client, Ct);
        var next = await RefreshedAsync(client, signedIn.RefreshToken);
        Assert.Equal(signedIn.ParticipantId, next.ParticipantId);

        using var reused = await RefreshAsync(client, signedIn.RefreshToken);
        await AssertRefusedAsync(reused, HttpStatusCode.Unauthorized, "refresh_token_reused");
        using var descendant = await RefreshAsync(client, next.RefreshToken);
        await AssertRefusedAsync(descendant, HttpStatusCode.Unauthorized, "refresh_token_invalid");
    }

    [Fact]
    public async Task After_sign_out_no_refresh_token_of_that_sign_in_serves()
    {
        using var client = fixture.App.CreateClient();
        var signedIn = await new TestWallet().SignInAsync(client, Ct);
        using var left = await TestWallet.PostJsonAsync(
            client, "/v1/auth/sign-out", new RefreshRequest(signedIn.RefreshToken), Ct);
        Assert.Equal(HttpStatusCode.NoContent, left.StatusCode);
        using var refused = await RefreshAsync(client, signedIn.RefreshToken);
        await AssertRefusedAsync(refused, HttpStatusCode.Unauthorized, "refresh_token_invalid");
    }

    [Fact]
    public async Task A_configured_wallet_is_a_steward_by_an_event_and_others_are_not()
    {
        using var client = fixture.App.CreateClient();
        var signedIn = await IdentityFixture.Steward.SignInAsync(client, Ct);
        Assert.Contains("steward", signedIn.Roles);
        Assert.Equal(signedIn.ParticipantId, await client.GetStringAsync("/probe/steward", Ct));
        await using var session = fixture.App.Get<ShardSessions>().Query(ShardRole.Global);
        var events = await session.Events.FetchStreamAsync(Participant.StreamOf(signedIn.ParticipantId), token: Ct);
        Assert.Equal(["participant_registered", "steward_granted"], events.Select(e => e.EventTypeName));
        Assert.All(events, e => Assert.Equal("system:participants", e.UserName));
        Assert.Equal(2L, await CountAsync("select count(*) from mt_events where data ->> 'participantId' = $1", signedIn.ParticipantId));

        await new TestWallet().SignInAsync(client, Ct);
        using var refused = await client.GetAsync("/probe/steward", Ct);
        await AssertRefusedAsync(refused, HttpStatusCode.Forbidden, "forbidden");
    }

    [Fact]
    public async Task The_database_holds_no_wallet_in_clear()
    {
        using var client = fixture.App.CreateClient();
        var wallet = new TestWallet();
        var signedIn = await wallet.SignInAsync(client, Ct);
        foreach (var sql in new[]
                 {
                     "select count(*) from mt_events where data::text like $1",
                     "select count(*) from mt_doc_participant where data::text like $1",
                     "select count(*) from participant_wallet where wallet_index like $1",
                 })
            Assert.Equal(0L, await CountAsync(sql, $"%{wallet.Address}%"));
        var directory = fixture.App.Get<ParticipantDirectory>();
        Assert.Equal(wallet.Address, directory.WalletOf((await directory.FindAsync(signedIn.ParticipantId, Ct))!));
        Assert.Equal(0L, await CountAsync("select count(*) from auth_refresh_token where hash = $1", signedIn.RefreshToken));
    }

    private static Task<HttpResponseMessage> RefreshAsync(HttpClient client, string token) =>
        TestWallet.PostJsonAsync(client, "/v1/auth/refresh", new RefreshRequest(token), Ct);

    private static async Task<SignedIn> RefreshedAsync(HttpClient client, string token)
    {
        using var response = await RefreshAsync(client, token);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<SignedIn>(WireJson.Messages, Ct))!;
    }

    internal static async Task AssertRefusedAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        var body = await response.Content.ReadAsStringAsync(Ct);
        Assert.True(response.StatusCode == status, $"{response.StatusCode}: {body}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(code, JsonDocument.Parse(body).RootElement.GetProperty("code").GetString());
    }

    private async Task<long> CountAsync(string sql, string? parameter = null)
    {
        await using var command = fixture.App.Get<ShardSessions>().DataSource(ShardRole.Global).CreateCommand(sql);
        if (parameter is not null)
            command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = parameter });
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }
}
