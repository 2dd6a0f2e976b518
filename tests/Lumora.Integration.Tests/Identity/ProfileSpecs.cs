using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Identity;

public sealed class ProfileSpecs(IdentityFixture fixture) : IClassFixture<IdentityFixture>
{
    private const string Recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_participant_sees_and_changes_its_own_profile()
    {
        using var client = fixture.App.CreateClient();
        var wallet = new TestWallet();
        var signedIn = await wallet.SignInAsync(client, Ct);
        var me = (await AskAsync(client, "{ me { id wallet payoutAddress ageRecipient roles } }")).GetProperty("data").GetProperty("me");
        Assert.Equal(signedIn.ParticipantId, me.GetProperty("id").GetString());
        Assert.Equal(wallet.Address, me.GetProperty("payoutAddress").GetString());
        Assert.Equal(JsonValueKind.Null, me.GetProperty("ageRecipient").ValueKind);

        var other = new TestWallet().Address;
        await ChangeAsync(client, $"setPayoutAddress(input: {{ address: \"{other}\" }})");
        var changed = await ChangeAsync(client, $"setAgeRecipient(input: {{ recipient: \"{Recipient}\" }})");
        Assert.Equal(other, changed.GetProperty("me").GetProperty("payoutAddress").GetString());
        Assert.Equal(Recipient, changed.GetProperty("me").GetProperty("ageRecipient").GetString());
    }

    [Theory]
    [InlineData("setPayoutAddress(input: { address: \"0x52908400098527886E0F7030069857D2E4169EE7\" })", "invalid_address")]
    [InlineData("setAgeRecipient(input: { recipient: \"age1wrong\" })", "invalid_recipient")]
    public async Task A_bad_value_is_a_coded_error_of_the_payload(string mutation, string code)
    {
        using var client = fixture.App.CreateClient();
        await new TestWallet().SignInAsync(client, Ct);
        var payload = await ChangeAsync(client, mutation);
        Assert.Equal(code, payload.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(JsonValueKind.Null, payload.GetProperty("me").ValueKind);
    }

    [Fact]
    public async Task A_stranger_has_no_profile()
    {
        using var client = fixture.App.CreateClient();
        var answer = await AskAsync(client, "{ me { id } }", HttpStatusCode.Unauthorized);
        Assert.Equal(
            "UNAUTHENTICATED", answer.GetProperty("errors")[0].GetProperty("extensions").GetProperty("code").GetString());
    }

    private static async Task<JsonElement> ChangeAsync(HttpClient client, string mutation)
    {
        var answer = await AskAsync(
            client, $"mutation {{ change: {mutation} {{ me {{ payoutAddress ageRecipient }} error {{ code field }} }} }}");
        return answer.GetProperty("data").GetProperty("change");
    }

    private static async Task<JsonElement> AskAsync(
        HttpClient client, string query, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var response = await client.PostAsJsonAsync("/graphql", new { query }, Ct);
        var text = await response.Content.ReadAsStringAsync(Ct);
        Assert.True(response.StatusCode == status || status != HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
