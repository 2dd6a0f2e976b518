using System.Security.Cryptography;
using System.Text.Json;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;

namespace Lumora.Domain.Tests.Participants;

public sealed class ParticipantTests
{
    private const string Alice = "participant_00000000000000000000000001";
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(Sealed.KeyLength);
    private static readonly Sealed Wallet = Seal(Participant.WalletField, "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM");
    private static readonly Actor Steward = new("participant_00000000000000000000000009", Roles.Steward);

    [Fact]
    public void A_wallet_is_registered_once_as_provider_and_consumer()
    {
        var alice = Given(new ParticipantRegistered(Alice, Wallet, At));
        Assert.Equal(Roles.Provider | Roles.Consumer, alice.Roles);
        Assert.Equal($"participant/{Alice}", alice.Id);
        Assert.Empty(Accepted(ParticipantDecider.Register(alice, Alice, Wallet, At)));
    }

    [Fact]
    public void Only_the_configuration_names_stewards()
    {
        var alice = Given(new ParticipantRegistered(Alice, Wallet, At));
        Assert.Equal("forbidden", Code(ParticipantDecider.GrantSteward(alice, Steward, "friend", At)));
        var granted = Accepted(ParticipantDecider.GrantSteward(alice, ParticipantDecider.Configuration, "configured", At));
        var steward = Given([new ParticipantRegistered(Alice, Wallet, At), .. granted]);
        Assert.True((steward.Roles & Roles.Steward) != Roles.None);
        Assert.Empty(Accepted(ParticipantDecider.GrantSteward(steward, ParticipantDecider.Configuration, "configured", At)));
    }

    [Fact]
    public void A_steward_grants_and_revokes_a_role_with_a_reason()
    {
        var alice = Given(new ParticipantRegistered(Alice, Wallet, At));
        var granted = Accepted(ParticipantDecider.GrantRole(alice, Steward, Roles.Auditor, "annual audit", At));
        var auditor = Given([new ParticipantRegistered(Alice, Wallet, At), .. granted]);
        Assert.True((auditor.Roles & Roles.Auditor) != Roles.None);
        var revoked = Accepted(ParticipantDecider.RevokeRole(auditor, Steward, Roles.Auditor, "audit done", At));
        Assert.Equal(alice.Roles, Participant.Evolve(auditor, Assert.Single(revoked))!.Roles);
    }

    [Theory]
    [InlineData(Roles.Steward)]
    [InlineData(Roles.Node)]
    [InlineData(Roles.None)]
    [InlineData(Roles.Auditor | Roles.Operator)]
    public void Roles_with_their_own_way_are_not_granted(Roles role)
    {
        var alice = Given(new ParticipantRegistered(Alice, Wallet, At));
        Assert.Equal("role_not_grantable", Code(ParticipantDecider.GrantRole(alice, Steward, role, "why", At)));
    }

    [Fact]
    public void Nobody_but_a_steward_grants_and_not_without_a_reason()
    {
        var alice = Given(new ParticipantRegistered(Alice, Wallet, At));
        var herself = new Actor(Alice, alice.Roles);
        Assert.Equal("forbidden", Code(ParticipantDecider.GrantRole(alice, herself, Roles.Auditor, "why", At)));
        Assert.Equal("reason_required", Code(ParticipantDecider.GrantRole(alice, Steward, Roles.Auditor, " ", At)));
        Assert.Equal("participant_not_found", Code(ParticipantDecider.GrantRole(null, Steward, Roles.Auditor, "why", At)));
    }

    [Fact]
    public void Sealed_fields_are_changed_by_their_owner_only()
    {
        var alice = Given(new ParticipantRegistered(Alice, Wallet, At));
        var address = Seal(Participant.PayoutAddressField, "there");
        Assert.Equal("forbidden", Code(ParticipantDecider.ChangePayoutAddress(alice, Steward, address, At)));
        var herself = new Actor(Alice, alice.Roles);
        var changed = Accepted(ParticipantDecider.ChangePayoutAddress(alice, herself, address, At));
        Assert.Equal(address, Participant.Evolve(alice, Assert.Single(changed))!.PayoutAddress);
    }

    [Fact]
    public void An_erased_participant_may_do_nothing_and_gets_nothing()
    {
        var herself = new Actor(Alice, Participant.InitialRoles);
        var alice = Given(new ParticipantRegistered(Alice, Wallet, At));
        var erased = Participant.Evolve(alice, Assert.Single(Accepted(ParticipantDecider.Erase(alice, herself, null, At))))!;
        Assert.Equal(Roles.None, erased.Roles);
        Assert.Equal("participant_erased", Code(ParticipantDecider.ChangeAgeRecipient(erased, herself, Wallet, At)));
        Assert.Equal("participant_erased", Code(ParticipantDecider.GrantRole(erased, Steward, Roles.Auditor, "why", At)));
        Assert.Empty(Accepted(ParticipantDecider.Erase(erased, herself, null, At)));
    }

    [Fact]
    public void A_steward_erases_others_with_a_reason_that_becomes_public()
    {
        var alice = Given(new ParticipantRegistered(Alice, Wallet, At));
        Assert.Equal("reason_required", Code(ParticipantDecider.Erase(alice, Steward, " ", At)));
        Assert.Equal("reason_required", Code(ParticipantDecider.Erase(alice, Steward, new string('x', 501), At)));
        Assert.Equal("participant_not_found", Code(ParticipantDecider.Erase(null, Steward, "asked by letter", At)));
        var events = Accepted(ParticipantDecider.Erase(alice, Steward, "asked by letter", At));
        Assert.Equal<object>([new ErasureOrdered(Alice, "asked by letter", At), new ParticipantErased(Alice, At)], events);
        var erased = Given([new ParticipantRegistered(Alice, Wallet, At), .. events]);
        Assert.Equal(At, erased.ErasedAt);
        Assert.Empty(Accepted(ParticipantDecider.Erase(erased, Steward, null, At)));
    }

    [Fact]
    public void From_the_second_steward_on_two_of_them_have_to_ask_for_an_erasure()
    {
        var second = new Actor("participant_00000000000000000000000008", Roles.Steward);
        var (both, gone) = (new ErasureStewards(HasOther: true, RequesterStands: true), new ErasureStewards(HasOther: true, RequesterStands: false));
        var alice = Given(new ParticipantRegistered(Alice, Wallet, At));
        Assert.Equal("reason_required", Code(ParticipantDecider.Erase(alice, Steward, null, At, both)));
        var asked = Assert.IsType<ErasureRequested>(Assert.Single(Accepted(ParticipantDecider.Erase(alice, Steward, "by letter", At, both))));
        Assert.Equal((Steward.Id, "by letter", At.AddDays(7)), (asked.RequestedBy, asked.Reason, asked.ApprovableUntil));
        var waiting = Given(new ParticipantRegistered(Alice, Wallet, At), asked);
        Assert.Null(waiting.ErasedAt);
        Assert.Equal(Participant.InitialRoles, waiting.Roles);

        // The same steward again changes nothing; the second one makes it happen, with the first one's reason.
        Assert.Empty(Accepted(ParticipantDecider.Erase(waiting, Steward, "by letter", At, both)));
        Assert.Equal("reason_required", Code(ParticipantDecider.Erase(waiting, second, " ", At, both)));
        var events = Accepted(ParticipantDecider.Erase(waiting, second, "seen the letter", At.AddDays(7), both));
        Assert.Equal<object>(
            [
                new ErasureApproved(Alice, Steward.Id, second.Id, "seen the letter", At.AddDays(7)),
                new ErasureOrdered(Alice, "by letter", At.AddDays(7)), new ParticipantErased(Alice, At.AddDays(7)),
            ],
            events);
        Assert.Null(Given([new ParticipantRegistered(Alice, Wallet, At), asked, .. events]).ErasureAsked);

        // Too late, or asked by who is no steward any more: it begins anew. Oneself needs nobody.
        Assert.IsType<ErasureRequested>(Assert.Single(Accepted(ParticipantDecider.Erase(waiting, second, "why", At.AddDays(7).AddSeconds(1), both))));
        Assert.IsType<ErasureRequested>(Assert.Single(Accepted(ParticipantDecider.Erase(waiting, second, "why", At, gone))));
        Assert.IsType<ParticipantErased>(Assert.Single(Accepted(ParticipantDecider.Erase(waiting, new Actor(Alice, Participant.InitialRoles), null, At, both))));
        // The other one has left: who asked is alone and does it.
        Assert.Equal(2, Accepted(ParticipantDecider.Erase(waiting, Steward, "by letter", At, new ErasureStewards(HasOther: false, RequesterStands: true))).Count);
    }

    [Fact]
    public void Nobody_erases_a_steward_but_that_steward_and_a_stranger_learns_nothing()
    {
        var steward = Given(new ParticipantRegistered(Alice, Wallet, At), new StewardGranted(Alice, "configured", At));
        Assert.Equal("steward_not_erasable", Code(ParticipantDecider.Erase(steward, Steward, "in my way", At)));
        Assert.Single(Accepted(ParticipantDecider.Erase(steward, new Actor(Alice, steward.Roles), null, At)));
        var stranger = new Actor("participant_00000000000000000000000002", Participant.InitialRoles);
        Assert.Equal("forbidden", Code(ParticipantDecider.Erase(steward, stranger, "why", At)));
        Assert.Equal("forbidden", Code(ParticipantDecider.Erase(null, stranger, "why", At)));
    }

    [Fact]
    public void A_sealed_field_opens_only_for_its_subject_field_and_key()
    {
        var box = Sealed.Seal(Key, Alice, "wallet", "secret", RandomNumberGenerator.Fill);
        Assert.Equal("secret", box.Open(Key, Alice, "wallet"));
        Assert.ThrowsAny<CryptographicException>(() => box.Open(Key, "participant_other", "wallet"));
        Assert.ThrowsAny<CryptographicException>(() => box.Open(Key, Alice, "contact"));
        Assert.ThrowsAny<CryptographicException>(() => box.Open(RandomNumberGenerator.GetBytes(32), Alice, "wallet"));
        Assert.NotEqual(box, Sealed.Seal(Key, Alice, "wallet", "secret", RandomNumberGenerator.Fill));
    }

    [Fact]
    public void A_registered_event_shows_no_wallet_and_reads_back()
    {
        var json = JsonSerializer.Serialize(new ParticipantRegistered(Alice, Wallet, At), WireJson.Events);
        Assert.DoesNotContain("4uQeVj5t", json, StringComparison.Ordinal);
        Assert.Contains("\"wallet\":\"v1.", json, StringComparison.Ordinal);
        Assert.Equal(new ParticipantRegistered(Alice, Wallet, At), JsonSerializer.Deserialize<ParticipantRegistered>(json, WireJson.Events));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("v1.")]
    [InlineData("v1.AAAA")]
    [InlineData("v2.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("v1.not base64url!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
    public void What_is_no_sealed_field_is_refused(string? text) => Assert.False(Sealed.TryParse(text, out _));

    private static Sealed Seal(string field, string value) =>
        Sealed.Seal(Key, Alice, field, value, RandomNumberGenerator.Fill);

    private static Participant Given(params IReadOnlyList<object> events) =>
        events.Aggregate((Participant?)null, Participant.Evolve)!;

    private static IReadOnlyList<object> Accepted(Decision decision) => Assert.IsType<Decision.Accepted>(decision).Events;

    private static string Code(Decision decision) => Assert.IsType<Decision.Rejected>(decision).Reason.Code;
}
