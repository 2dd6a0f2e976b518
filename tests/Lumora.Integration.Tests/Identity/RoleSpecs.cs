using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Identity;

/// <summary>Stewards grant and revoke roles; nobody else does.</summary>
public sealed class RoleSpecs(IdentityFixture fixture) : IClassFixture<IdentityFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_role_holds_from_the_next_sign_in_until_it_is_revoked()
    {
        using var steward = await StewardAsync();
        using var client = fixture.App.CreateClient();
        var wallet = new TestWallet();
        var id = (await wallet.SignInAsync(client, Ct)).ParticipantId;
        const string TrialBalance = "{ trialBalance { kind } }";
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(client, TrialBalance)).Status);

        var granted = await ChangeAsync(steward, "grantRole", id, "AUDITOR");
        Assert.Equal(["provider", "consumer", "auditor"], Roles(granted));
        Assert.Equal(["provider", "consumer", "auditor"], Roles(await ChangeAsync(steward, "grantRole", id, "AUDITOR")));
        await wallet.SignInAsync(client, Ct);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(client, TrialBalance)).Status);

        Assert.Equal(["provider", "consumer"], Roles(await ChangeAsync(steward, "revokeRole", id, "AUDITOR")));
        await wallet.SignInAsync(client, Ct);
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(client, TrialBalance)).Status);
    }

    [Theory]
    [InlineData("participant_00000000000000000000000000", "Elected.", "participant_not_found")]
    [InlineData("nobody", "Elected.", "participant_not_found")]
    [InlineData(null, " ", "reason_required")]
    public async Task A_refusal_is_a_coded_error_of_the_payload(string? participantId, string reason, string code)
    {
        using var steward = await StewardAsync();
        using var client = fixture.App.CreateClient();
        var id = participantId ?? (await new TestWallet().SignInAsync(client, Ct)).ParticipantId;
        var payload = await ChangeAsync(steward, "grantRole", id, "OPERATOR", reason);
        Assert.Equal(code, payload.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(JsonValueKind.Null, payload.GetProperty("roles").ValueKind);
    }

    [Theory]
    [InlineData("grantRole")]
    [InlineData("revokeRole")]
    public async Task Only_stewards_change_roles_and_nobody_becomes_a_steward_by_it(string mutation)
    {
        using var nobody = fixture.App.CreateClient();
        using var client = fixture.App.CreateClient();
        var id = (await new TestWallet().SignInAsync(client, Ct)).ParticipantId;
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(nobody, Mutation(mutation, id, "AUDITOR", "Why not."))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(client, Mutation(mutation, id, "AUDITOR", "Why not."))).Status);

        using var steward = await StewardAsync();
        var refused = await AskAsync(steward, Mutation(mutation, id, "STEWARD", "Why not."));
        Assert.True(refused.Answer.TryGetProperty("errors", out _));
    }

    private static IEnumerable<string?> Roles(JsonElement payload) =>
        payload.GetProperty("roles").EnumerateArray().Select(role => role.GetString());

    private static string Mutation(string name, string id, string role, string reason) =>
        $$"""
        mutation { it: {{name}}(input: { participantId: "{{id}}", role: {{role}}, reason: "{{reason}}" }) {
            roles error { code field } } }
        """;

    private static async Task<JsonElement> ChangeAsync(
        HttpClient client, string name, string id, string role, string reason = "Elected.")
    {
        var (_, answer) = await AskAsync(client, Mutation(name, id, role, reason));
        Assert.False(answer.TryGetProperty("errors", out _), answer.ToString());
        return answer.GetProperty("data").GetProperty("it");
    }

    private static async Task<(HttpStatusCode Status, JsonElement Answer)> AskAsync(HttpClient client, string query)
    {
        using var response = await client.PostAsJsonAsync("/graphql", new { query }, Ct);
        return (response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct)).RootElement);
    }

    private async Task<HttpClient> StewardAsync()
    {
        var client = fixture.App.CreateClient();
        await IdentityFixture.Steward.SignInAsync(client, Ct);
        return client;
    }
}
